// What the store's snapshots look like:
//
//     "TKV2" | u64 number of entries | u64 state hash | { key | value } per entry
//
// Numbers are little-endian. Keys and values are arguments of command.hpp: length and bytes. Entries come in the order
// of their keys' `key_hash`, and, where that is equal, of the keys. So a state is written in one way only, by all.
#include "app/kv/hash.hpp"
#include "app/kv/store.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::kv {

namespace {

constexpr std::string_view magic = "TKV2";
constexpr std::size_t number_bytes = 8;
constexpr std::size_t opening_bytes = magic.size() + 2 * number_bytes;
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

void append_number(std::string& out, std::uint64_t number) {
  for (std::size_t i = 0; i < number_bytes; ++i)
    out += static_cast<char>(number >> 8 * i);
}

std::uint64_t number_at(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i)
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << 8 * i;
  return number;
}

/// Writes a picture out. No chunk is larger than another for a large value's sake: entries go on in the next one.
class written_picture final : public state_view {
public:
  explicit written_picture(trie_picture picture) : picture_{std::move(picture)}, walk_{*picture_.root} {
    lengths_ = magic;
    append_number(lengths_, picture_.count);
    append_number(lengths_, picture_.state_hash);
    parts_ = {lengths_};
  }

  std::string next_chunk() override {
    auto chunk = std::string{};
    chunk.reserve(chunk_bytes);
    while (chunk.size() < chunk_bytes && (any_left() || take_next()))
      for (auto& part : parts_) {
        const auto taken = part.substr(0, chunk_bytes - chunk.size());
        chunk += taken;
        part.remove_prefix(taken.size());
      }
    return chunk;
  }

private:
  [[nodiscard]] bool any_left() const {
    return std::any_of(parts_.begin(), parts_.end(), [](std::string_view part) { return !part.empty(); });
  }

  bool take_next() {
    const auto* entry = walk_.next();
    if (!entry)
      return false;
    lengths_.clear();
    append_length(lengths_, entry->key().size());
    const auto key_length = lengths_.size();
    append_length(lengths_, entry->value().size());
    const auto lengths = std::string_view{lengths_};
    parts_ = {lengths.substr(0, key_length), entry->key(), lengths.substr(key_length), entry->value()};
    return true;
  }

  trie_picture picture_;
  trie_walk walk_;
  std::string lengths_;
  std::array<std::string_view, 4> parts_; // What is still to be written of the entry.
};

[[noreturn]] void refuse(const char* why) {
  throw std::runtime_error{std::string{"key-value snapshot: "} + why};
}

/// Puts a trie together from a snapshot that arrives in pieces. Whoever carried them may have cut them anywhere.
class reading {
public:
  void take(std::string_view piece) {
    pending_ += piece;
    auto rest = std::string_view{pending_};
    if (!is_open_)
      open(rest);
    if (is_open_)
      while (take_entry(rest)) {
      }
    pending_.erase(0, pending_.size() - rest.size());
  }

  [[nodiscard]] trie finish() && {
    if (!is_open_ || !pending_.empty())
      refuse("ends in the middle of an entry");
    if (built_.size() != count_ || built_.state_hash() != state_hash_)
      refuse("holds other entries than it says");
    return std::move(built_);
  }

private:
  void open(std::string_view& rest) {
    if (rest.substr(0, magic.size()) != magic.substr(0, rest.size()))
      refuse("does not begin with TKV2");
    if (rest.size() < opening_bytes)
      return;
    count_ = number_at(rest.substr(magic.size()));
    state_hash_ = number_at(rest.substr(magic.size() + number_bytes));
    rest.remove_prefix(opening_bytes);
    is_open_ = true;
  }

  bool take_entry(std::string_view& rest) {
    auto parts = command_reader{rest};
    const auto key = next(parts);
    const auto value = key ? next(parts) : std::nullopt;
    if (!value)
      return false;
    if (built_.size() == count_)
      refuse("holds more entries than it says");
    const auto hash = key_hash(*key);
    if (built_.size() > 0 && std::pair{hash, *key} <= std::pair{last_hash_, std::string_view{last_key_}})
      refuse("keys are not in order, each once");
    last_hash_ = hash;
    last_key_ = *key;
    built_.put(*key, *value);
    rest.remove_prefix(static_cast<std::size_t>(value->data() + value->size() - rest.data()));
    return true;
  }

  /// Nothing while the argument has not arrived whole. One that never will be one is refused now, not when everything
  /// behind it has been gathered.
  static std::optional<std::string_view> next(command_reader& parts) {
    const auto argument = parts.next();
    if (!argument && !parts.may_be_cut())
      refuse("a length makes no sense");
    return argument;
  }

  std::string pending_; // The beginning of an entry.
  bool is_open_ = false;
  std::uint64_t count_ = 0;
  std::uint64_t state_hash_ = 0;
  std::uint64_t last_hash_ = 0;
  std::string last_key_;
  trie built_;
};

trie read_trie(chunk_source& chunks) {
  auto read = reading{};
  for (auto chunk = chunks.next_chunk(); !chunk.empty(); chunk = chunks.next_chunk())
    read.take(chunk);
  return std::move(read).finish();
}

/// Holds the new state, and when it has taken its place, the old one: freeing that takes a while, and is left to
/// whoever lets go of this.
class trie_aside final : public built_state {
public:
  trie_aside(trie& present, trie built) : present_{present}, aside_{std::move(built)} {}
  void take_place() override { std::swap(present_, aside_); }

private:
  trie& present_;
  trie aside_;
};

} // namespace

std::unique_ptr<state_view> store::save() {
  return std::make_unique<written_picture>(values_.picture());
}

void store::load(chunk_source& chunks) {
  values_ = read_trie(chunks);
}

std::unique_ptr<built_state> store::build(chunk_source& chunks) {
  return std::make_unique<trie_aside>(values_, read_trie(chunks));
}

} // namespace troupe::kv
