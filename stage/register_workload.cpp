#include "stage/register_workload.hpp"

#include "troupe/entry.hpp"

#include <map>
#include <sstream>
#include <utility>

namespace troupe {

namespace {

/// Registers by name. Commands are lines: `set KEY VALUE`, `cas KEY OLD NEW`, `get KEY`.
class register_machine final : public state_machine {
public:
  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    for (const auto& each : commands) {
      std::istringstream words{std::string{each.content}};
      std::string verb, key, first, second;
      words >> verb >> key >> first >> second;
      answers.add(carry_out(verb, key, first, second));
    }
    return commands.size();
  }

  void query(std::string_view content, answer_list& answers) override {
    std::istringstream words{std::string{content}};
    std::string verb, key;
    words >> verb >> key;
    const auto found = registers_.find(key);
    answers.add(found == registers_.end() ? "" : found->second);
  }

  std::unique_ptr<state_view> save() override {
    std::string all;
    for (const auto& [key, value] : registers_)
      all += key + ' ' + value + '\n';
    return view_of(std::move(all));
  }

  void load(chunk_source& chunks) override {
    std::istringstream lines{read_all(chunks)};
    std::map<std::string, std::string> loaded;
    std::uint64_t hash = 0;
    for (std::string key, value; lines >> key >> value;) {
      hash ^= hash_of(key, value);
      loaded[key] = value;
    }
    registers_ = std::move(loaded);
    hash_ = hash;
  }

  std::optional<std::uint64_t> state_hash() const override { return hash_; }

private:
  static std::uint64_t hash_of(const std::string& key, const std::string& value) {
    return std::uint64_t{crc32c(value, crc32c(key))} * 0x9e3779b97f4a7c15ull;
  }

  std::string carry_out(const std::string& verb, const std::string& key, const std::string& first,
                        const std::string& second) {
    const auto found = registers_.find(key);
    const auto before = found == registers_.end() ? std::string{} : found->second;
    if (verb == "cas" && before != first)
      return "no " + before;
    auto& value = registers_[key];
    if (!before.empty())
      hash_ ^= hash_of(key, before);
    value = verb == "cas" ? second : first;
    hash_ ^= hash_of(key, value);
    return "ok " + before;
  }

  std::map<std::string, std::string> registers_;
  std::uint64_t hash_ = 0;
};

class register_workload final : public workload {
public:
  register_workload(unsigned keys, unsigned read_percent, std::size_t value_bytes)
      : keys_{keys}, read_percent_{read_percent}, value_bytes_{value_bytes} {}

  std::shared_ptr<state_machine> machine() override { return std::make_shared<register_machine>(); }

  request next(unsigned, dice& chance) override {
    const auto key = "k" + std::to_string(chance.below(keys_));
    if (chance.chance(read_percent_))
      return {operation::query, "get " + key, "get " + key};
    auto value = "v" + std::to_string(++values_);
    const auto words = value;
    value.resize(std::max(value.size(), value_bytes_), '.');
    if (chance.chance(20)) // Mostly in vain.
      return {operation::command, "cas " + key + " v" + std::to_string(chance.below(values_) + 1) + ' ' + value,
              "cas " + key + " " + words};
    return {operation::command, "set " + key + ' ' + value, "set " + key + ' ' + words};
  }

  std::string in_words(std::string_view answer) const override { return '"' + std::string{answer.substr(0, 24)} + '"'; }

private:
  unsigned keys_;
  unsigned read_percent_;
  std::size_t value_bytes_;
  std::uint64_t values_ = 0;
};

} // namespace

std::unique_ptr<workload> make_register_workload(unsigned keys, unsigned read_percent, std::size_t value_bytes) {
  return std::make_unique<register_workload>(keys, read_percent, value_bytes);
}

} // namespace troupe
