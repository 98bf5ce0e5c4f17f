#include "app/sim/kv_workload.hpp"

#include "app/kv/command.hpp"
#include "app/kv/store.hpp"
#include "stage/key_history.hpp"
#include "stage/key_oracle.hpp"
#include "stage/linearizability.hpp"
#include "stage/register_model.hpp"
#include "troupe/assert.hpp"

#include <charconv>
#include <map>
#include <string>
#include <utility>

namespace troupe {

namespace {

using verb = register_command::verb;

/// A search takes so many steps at most; one that needs more decides nothing.
constexpr std::size_t most_steps = 200'000;

std::string encode(const std::string& key, const register_command& command) {
  std::string content;
  const auto put = [&](kv::opcode code) {
    kv::append_opcode(content, code);
    kv::append_argument(content, key);
  };
  const auto set = [&](std::uint8_t flags) {
    put(kv::opcode::set);
    kv::append_argument(content, command.text);
    if (flags != 0)
      kv::append_argument(content, std::string(1, static_cast<char>(flags)));
  };
  switch (command.what) {
  case verb::get: put(kv::opcode::get); break;
  case verb::exists: put(kv::opcode::exists); break;
  case verb::strlen: put(kv::opcode::strlen); break;
  case verb::set: set(0); break;
  case verb::set_if_absent: set(kv::set_if_absent); break;
  case verb::set_if_present: set(kv::set_if_present); break;
  case verb::set_nx:
    put(kv::opcode::set_nx);
    kv::append_argument(content, command.text);
    break;
  case verb::get_set:
    put(kv::opcode::get_set);
    kv::append_argument(content, command.text);
    break;
  case verb::del: put(kv::opcode::del); break;
  case verb::add:
    put(kv::opcode::add);
    kv::append_delta(content, command.delta);
    break;
  case verb::append:
    put(kv::opcode::append);
    kv::append_argument(content, command.text);
    break;
  }
  return content;
}

/// What a RESP2 reply says.
register_answer answer_of(std::string_view reply) {
  const auto line = reply.substr(1, reply.find("\r\n") - 1);
  const auto number = [&] {
    std::int64_t value = 0;
    std::from_chars(line.data(), line.data() + line.size(), value);
    return value;
  };
  switch (reply.front()) {
  case '+': return register_answer::ok();
  case '-': return register_answer::error();
  case ':': return register_answer::of(number());
  default: break;
  }
  if (number() < 0)
    return register_answer::nil();
  return register_answer::of(std::string{reply.substr(line.size() + 3, static_cast<std::size_t>(number()))});
}

class kv_workload final : public workload {
public:
  kv_workload(unsigned keys, unsigned read_percent, std::size_t value_bytes)
      : keys_{keys}, read_percent_{read_percent}, value_bytes_{value_bytes} {}

  std::shared_ptr<state_machine> machine() override { return std::make_shared<kv::store>(); }

  request next(unsigned, dice& chance) override {
    coming_.first = "k" + std::to_string(chance.below(keys_));
    coming_.second = draw(chance);
    request asked;
    asked.what = coming_.second.is_read() ? operation::query : operation::command;
    asked.content = encode(coming_.first, coming_.second);
    asked.words = coming_.first + ' ' + words_of(coming_.second);
    return asked;
  }

  void asked(operation_id id, unsigned, const request&) override {
    oracle_.invoked(id, coming_.first, coming_.second, ++now_);
    history_.invoked(id, coming_.first, coming_.second, now_);
    operations_.emplace(id, coming_);
  }

  void applied(operation_id id, std::string_view, std::string_view) override {
    const auto& [key, command] = operations_.at(id);
    ++applied_;
    if (!command.is_read()) // A read behind its client's writes goes through the log, too.
      oracle_.committed(log_index{applied_}, id, key, command);
  }

  void answered(operation_id id, std::string_view reply) override {
    if (reply.empty())
      return; // The ledger has said what is wrong.
    const auto answer = answer_of(reply);
    oracle_.completed(id, answer, ++now_);
    history_.completed(id, answer, now_);
  }

  void refused(operation_id id) override {
    oracle_.refused(id);
    history_.refused(id);
  }
  void lost(operation_id id) override { oracle_.lost(id); }

  std::optional<std::string> trouble() override { return oracle_.broken(); }

  std::optional<std::string> final_trouble() override {
    for (const auto& key : history_.keys()) {
      const auto found = linearize<register_model>(history_.of(key), {}, most_steps);
      if (found.verdict == linearizable::no)
        return "what clients saw of " + key + " is not linearizable: " + found.explanation;
    }
    return std::nullopt;
  }

  std::string in_words(std::string_view reply) const override {
    return reply.empty() ? "nothing" : words_of(answer_of(reply));
  }

private:
  register_command draw(dice& chance) {
    register_command command;
    if (chance.chance(read_percent_)) {
      command.what = chance.chance(80) ? verb::get : chance.chance(50) ? verb::exists : verb::strlen;
      return command;
    }
    command.text = "v" + std::to_string(++values_);
    command.text.resize(std::max(command.text.size(), value_bytes_), '.');
    const auto kind = chance.below(100);
    if (kind < 55)
      command.what = verb::set;
    else if (kind < 63)
      command.what = verb::set_if_absent;
    else if (kind < 69)
      command.what = verb::set_if_present;
    else if (kind < 74)
      command.what = verb::set_nx;
    else if (kind < 80)
      command.what = verb::get_set;
    else if (kind < 90)
      command.what = verb::del;
    else if (kind < 96)
      command.what = verb::add;
    else
      command.what = verb::append;
    if (command.what == verb::add) {
      command.text.clear();
      command.delta = static_cast<std::int64_t>(chance.below(1000)) - 300;
    } else if (command.what == verb::del) {
      command.text.clear();
    } else if (command.what == verb::append) {
      command.text = "+" + std::to_string(values_);
    } else if (chance.chance(15)) {
      command.text = std::to_string(values_); // Something to add to.
    }
    return command;
  }

  unsigned keys_;
  unsigned read_percent_;
  std::size_t value_bytes_;
  std::uint64_t values_ = 0;
  std::uint64_t applied_ = 0;
  event_ordinal now_ = 0;
  std::pair<std::string, register_command> coming_; ///< Drawn, and about to be asked.
  std::map<operation_id, std::pair<std::string, register_command>> operations_;
  key_oracle oracle_;
  key_history history_;
};

} // namespace

std::unique_ptr<workload> make_kv_workload(unsigned keys, unsigned read_percent, std::size_t value_bytes) {
  return std::make_unique<kv_workload>(keys, read_percent, value_bytes);
}

} // namespace troupe
