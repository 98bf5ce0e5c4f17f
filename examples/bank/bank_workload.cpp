#include "bank_workload.hpp"

#include <charconv>
#include <map>

namespace {

constexpr unsigned customers = 12;

class bank_workload final : public troupe::workload {
public:
  explicit bank_workload(bug planted) : bug_{planted} {}

  std::shared_ptr<troupe::state_machine> machine() override { return make_bank(bug_); }

  request next(unsigned, troupe::dice& chance) override {
    const auto anybody = [&] { return "customer-" + std::to_string(chance.below(customers)); };
    switch (chance.below(10)) {
    case 0: return command("open " + anybody() + ' ' + std::to_string(chance.below(100)));
    case 1: return command("interest " + std::to_string(++round_) + ' ' + std::to_string(chance.below(customers)));
    case 2:
    case 3: return ask(anybody());
    default: return command("move " + anybody() + ' ' + anybody() + ' ' + std::to_string(1 + chance.below(50)));
    }
  }

  // The oracle, if one is wanted: nobody is ever in debt.
  void asked(troupe::operation_id id, unsigned, const request& what) override {
    if (what.what == troupe::operation::query)
      whose_.emplace(id, what.content);
  }

  void answered(troupe::operation_id id, std::string_view answer) override {
    const auto query = whose_.find(id);
    if (query == whose_.end())
      return;
    if (answer.starts_with('-'))
      trouble_ = query->second + " has " + std::string{answer} + " coins";
    whose_.erase(query);
  }

  void refused(troupe::operation_id id) override { whose_.erase(id); }
  void lost(troupe::operation_id id) override { whose_.erase(id); }

  std::optional<std::string> trouble() override { return trouble_; }

private:
  static request ask(const std::string& name) { return {troupe::operation::query, name, "how much has " + name}; }
  static request command(const std::string& line) { return {troupe::operation::command, line, line}; }

  bug bug_;
  std::int64_t round_ = 0;
  std::map<troupe::operation_id, std::string> whose_;
  std::optional<std::string> trouble_;
};

} // namespace

std::unique_ptr<troupe::workload> make_bank_workload(bug planted) {
  return std::make_unique<bank_workload>(planted);
}
