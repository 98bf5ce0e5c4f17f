#include "bank.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <vector>

namespace {

using coins = std::int64_t;

class bank final : public troupe::state_machine {
public:
  explicit bank(bug planted) : bug_{planted} {}

  std::size_t apply(std::span<const troupe::command> commands, troupe::answer_list& answers) override {
    for (const auto& each : commands) {
      std::istringstream words{std::string{each.content}};
      std::string verb;
      words >> verb;
      answers.add(verb == "open"           ? open(words)
                      : verb == "move"     ? move(words)
                      : verb == "interest" ? pay(words)
                                           : "what?");
    }
    return commands.size();
  }

  void query(std::string_view content, troupe::answer_list& answers) override {
    if (content == "*") {
      coins sum = 0;
      for (const auto& [name, has] : accounts_)
        sum += has; // In any order: a sum does not depend on it.
      return answers.add(std::to_string(sum));
    }
    const auto found = accounts_.find(std::string{content});
    answers.add(found == accounts_.end() ? "nothing" : std::to_string(found->second));
  }

  std::unique_ptr<troupe::state_view> save() override {
    std::ostringstream all;
    if (bug_ != bug::save)
      all << paid_ << '\n';
    else
      all << 0 << '\n';
    for (const auto& [name, has] : accounts_)
      all << name << ' ' << has << '\n';
    return troupe::view_of(all.str());
  }

  void load(troupe::chunk_source& chunks) override {
    std::istringstream all{troupe::read_all(chunks)};
    all >> paid_;
    accounts_.clear();
    std::string name;
    for (coins has = 0; all >> name >> has;)
      accounts_[name] = has;
  }

  // Optional. With it a state that differs is seen at once; without, when an answer depends on it.
  std::optional<std::uint64_t> state_hash() const override {
    auto sum = mixed(static_cast<std::uint64_t>(paid_));
    for (const auto& [name, has] : accounts_)
      sum += mixed(fingerprint(name) ^ mixed(static_cast<std::uint64_t>(has)));
    return sum;
  }

private:
  std::string open(std::istringstream& words) {
    std::string name;
    coins has = 0;
    words >> name >> has;
    return accounts_.emplace(name, has).second ? "ok" : "no";
  }

  std::string move(std::istringstream& words) {
    std::string from, to;
    coins amount = 0;
    words >> from >> to >> amount;
    const auto payer = accounts_.find(from);
    const auto payee = accounts_.find(to);
    if (payer == accounts_.end() || payee == accounts_.end() || amount <= 0)
      return "no";
    if (payer->second < amount && bug_ != bug::overdraw)
      return "no";
    payer->second -= amount;
    payee->second += amount;
    return "ok";
  }

  std::string pay(std::istringstream& words) {
    std::int64_t round = 0;
    coins pot = 0;
    words >> round >> pot;
    if (round <= paid_)
      return "no";
    paid_ = round;
    std::string names;
    for (const auto& name : in_turn()) {
      if (pot-- == 0)
        break;
      ++accounts_[name];
      names += name + ' ';
    }
    return names;
  }

  /// Who is paid first.
  std::vector<std::string> in_turn() const {
    std::vector<std::string> names;
    for (const auto& [name, has] : accounts_)
      names.push_back(name);
    if (bug_ != bug::order)
      std::sort(names.begin(), names.end());
    return names;
  }

  static std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
  }

  /// Of its letters, the same on every machine: std::hash promises that to nobody.
  static std::uint64_t fingerprint(const std::string& name) {
    std::uint64_t sum = 0xcbf29ce484222325ull;
    for (const unsigned char letter : name)
      sum = (sum ^ letter) * 0x100000001b3ull;
    return sum;
  }

  bug bug_;
  std::unordered_map<std::string, coins> accounts_;
  std::int64_t paid_ = 0; ///< The last round of interest.
};

} // namespace

std::shared_ptr<troupe::state_machine> make_bank(bug planted) {
  return std::make_shared<bank>(planted);
}
