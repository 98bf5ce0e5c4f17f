// What the store's snapshots look like: "TKV1", then for each key, in order, key and value as arguments of command.hpp.
#include "app/kv/store.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe::kv {

namespace {

constexpr std::string_view magic = "TKV1";
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

class sorted_copy final : public state_view {
public:
  explicit sorted_copy(std::vector<std::pair<std::string, std::string>> entries) : entries_{std::move(entries)} {
    std::sort(entries_.begin(), entries_.end());
  }

  std::string next_chunk() override {
    auto chunk = std::string{};
    if (!opened_)
      chunk = magic;
    opened_ = true;
    for (; at_ < entries_.size() && chunk.size() < chunk_bytes; ++at_) {
      append_argument(chunk, entries_[at_].first);
      append_argument(chunk, entries_[at_].second);
    }
    return chunk;
  }

private:
  std::vector<std::pair<std::string, std::string>> entries_;
  std::size_t at_ = 0;
  bool opened_ = false;
};

} // namespace

std::unique_ptr<state_view> store::save() {
  return std::make_unique<sorted_copy>(
      std::vector<std::pair<std::string, std::string>>{values_.begin(), values_.end()});
}

void store::load(chunk_source& chunks) {
  auto loaded = map{};
  auto pending = std::string{};
  const std::string* last_key = nullptr;
  auto opened = false;
  for (auto chunk = chunks.next_chunk(); !chunk.empty(); chunk = chunks.next_chunk()) {
    pending += chunk;
    if (!opened && pending.size() >= magic.size()) {
      if (!pending.starts_with(magic))
        throw std::runtime_error{"key-value snapshot: does not begin with TKV1"};
      pending.erase(0, magic.size());
      opened = true;
    }
    if (!opened)
      continue;
    // Whoever carried the chunks may have cut them elsewhere: an entry may end in a later one.
    auto entries = command_reader{pending};
    std::size_t used = 0;
    for (;;) {
      const auto key = entries.next();
      const auto value = key ? entries.next() : std::nullopt;
      if (!value)
        break;
      used = static_cast<std::size_t>(value->data() + value->size() - pending.data());
      if (last_key && *key <= *last_key)
        throw std::runtime_error{"key-value snapshot: keys are not in order, each once"};
      last_key = &loaded.emplace(*key, *value).first->first;
    }
    pending.erase(0, used);
  }
  if (!opened || !pending.empty())
    throw std::runtime_error{"key-value snapshot: ends in the middle of an entry"};
  values_ = std::move(loaded);
}

} // namespace troupe::kv
