/// \file
/// A key and its value in one piece of memory, shared between a store and the pictures taken of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace troupe::kv {

/// Which writes may change a thing in place: those of the generation that made it. A picture of the store ends a
/// generation, so what the picture shows is of an older one, and stays. One picture a second would take 136 years to
/// use them up.
using generation = std::uint32_t;

/// A handle to a key and its value; copies share them. Made and changed by the writer alone.
class record {
public:
  record() = default;
  /// Keys and values are parts of log entries: far shorter than the 4 GiB that would fit.
  record(generation made, std::string_view key, std::string_view value);

  [[nodiscard]] generation made() const { return head().made; }
  [[nodiscard]] std::string_view key() const { return {bytes(), head().key_bytes}; }
  [[nodiscard]] std::string_view value() const { return {bytes() + head().key_bytes, head().value_bytes}; }
  /// The value's `words_sum`.
  [[nodiscard]] std::uint64_t sum() const { return head().sum; }

  /// Gives the key another value. In place if the record is of generation `now` and has room, but not much too much.
  void assign(generation now, std::string_view value);
  /// Adds to the value, in time that the suffix's size decides, not the value's: a record that has to move makes room
  /// for half as much again. (It also moves once per generation.)
  void append(generation now, std::string_view suffix);

private:
  struct head_part {
    generation made;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    std::uint32_t value_room;
    std::uint64_t sum;
  };
  struct word {
    alignas(8) unsigned char bytes[8];
  };
  static constexpr std::size_t head_words = sizeof(head_part) / sizeof(word);

  record(generation made, std::string_view key, std::size_t value_room);

  [[nodiscard]] head_part& head() const { return *reinterpret_cast<head_part*>(words_.get()); }
  [[nodiscard]] char* bytes() const { return reinterpret_cast<char*>(words_.get() + head_words); }

  std::shared_ptr<word[]> words_; // head_part, key, value, room for more of it.
};

} // namespace troupe::kv
