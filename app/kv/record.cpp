#include "app/kv/record.hpp"

#include "app/kv/hash.hpp"
#include "troupe/assert.hpp"

#include <cstring>
#include <limits>
#include <new>

namespace troupe::kv {

namespace {

// An empty string_view may point nowhere, and memcpy wants a place even for nothing.
void copy_to(char* to, std::string_view bytes) {
  if (!bytes.empty())
    std::memcpy(to, bytes.data(), bytes.size());
}

} // namespace

record::record(generation made, std::string_view key, std::size_t value_room) {
  constexpr std::size_t limit = std::numeric_limits<std::uint32_t>::max();
  TROUPE_ASSERT(key.size() <= limit && value_room <= limit, "keys and values come from log entries, which are shorter");
  const auto words = (head_words * sizeof(word) + key.size() + value_room + sizeof(word) - 1) / sizeof(word);
  words_ = std::make_shared_for_overwrite<word[]>(words);
  const auto room = words * sizeof(word) - head_words * sizeof(word) - key.size();
  new (words_.get()) head_part{made, static_cast<std::uint32_t>(key.size()), 0,
                               static_cast<std::uint32_t>(room < limit ? room : limit), 0};
  copy_to(bytes(), key);
}

record::record(generation made, std::string_view key, std::string_view value) : record{made, key, value.size()} {
  assign(made, value);
}

void record::assign(generation now, std::string_view value) {
  const auto room = head().value_room;
  if (head().made != now || value.size() > room || value.size() + 64 < room / 2) {
    *this = record{now, key(), value};
    return;
  }
  copy_to(bytes() + head().key_bytes, value);
  head().value_bytes = static_cast<std::uint32_t>(value.size());
  head().sum = words_sum(value);
}

void record::append(generation now, std::string_view suffix) {
  const auto old = value();
  const auto size = old.size() + suffix.size();
  const auto whole = old.size() / 8 * 8; // From here on words change.
  const auto sum = head().sum - words_sum(old.substr(whole), whole / 8);
  if (head().made != now || size > head().value_room) {
    auto moved = record{now, key(), size + size / 2};
    copy_to(moved.bytes() + moved.head().key_bytes, old);
    *this = std::move(moved);
  }
  copy_to(bytes() + head().key_bytes + old.size(), suffix);
  head().value_bytes = static_cast<std::uint32_t>(size);
  head().sum = sum + words_sum(value().substr(whole), whole / 8);
}

} // namespace troupe::kv
