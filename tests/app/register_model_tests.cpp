// The checkers' model of a key against the store itself: whatever is asked, both answer the same.
#include "stage/register_model.hpp"

#include "app/kv/reply.hpp"
#include "tests/app/kv_world.hpp"
#include "troupe/dice.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

using verb = register_command::verb;
using kv::opcode;

std::string as_entry(const register_command& command) {
  const auto with_text = [&](opcode code) { return encoded(code, {"key", command.text}); };
  const auto with_flags = [&](std::uint8_t flags) {
    return encoded(opcode::set, {"key", command.text, std::string(1, static_cast<char>(flags))});
  };
  switch (command.what) {
  case verb::get: return encoded(opcode::get, {"key"});
  case verb::exists: return encoded(opcode::exists, {"key"});
  case verb::strlen: return encoded(opcode::strlen, {"key"});
  case verb::set: return with_text(opcode::set);
  case verb::set_if_absent: return with_flags(kv::set_if_absent);
  case verb::set_if_present: return with_flags(kv::set_if_present);
  case verb::set_nx: return with_text(opcode::set_nx);
  case verb::get_set: return with_text(opcode::get_set);
  case verb::del: return encoded(opcode::del, {"key"});
  case verb::append: return with_text(opcode::append);
  case verb::add: break;
  }
  auto entry = encoded(opcode::add, {"key"});
  kv::append_delta(entry, command.delta);
  return entry;
}

std::string as_reply(const register_answer& answer) {
  std::string bytes;
  switch (answer.what) {
  case register_answer::kind::nil: return std::string{reply::null};
  case register_answer::kind::ok: return std::string{reply::ok};
  case register_answer::kind::error: return "-ERR";
  case register_answer::kind::number: reply::append_integer(bytes, answer.number); return bytes;
  case register_answer::kind::text: reply::append_bulk(bytes, answer.text); return bytes;
  }
  return bytes;
}

} // namespace

TEST_CASE("I15 the model of a key answers whatever the store answers") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::string> texts{"",
                                       "0",
                                       "7",
                                       "-1",
                                       "-0",
                                       "+1",
                                       "01",
                                       " 1",
                                       "1 ",
                                       "word",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "9223372036854775808"};
  const std::vector<std::int64_t> deltas{0, 1, -1, 5, most, -most, -most - 1};
  dice chance{15};
  kv::store store;
  register_state model;
  std::vector<std::size_t> answers(5);
  for (int i = 0; i < 50'000; ++i) {
    register_command command;
    command.what = static_cast<verb>(chance.below(std::size_t{1} + static_cast<std::size_t>(verb::append)));
    command.text = texts[chance.below(texts.size())];
    command.delta = deltas[chance.below(deltas.size())];
    if (command.what == verb::append && model && model->size() > 100)
      command.what = verb::del;
    CAPTURE(words_of(command));
    CAPTURE(words_of(model));
    const auto effect = effect_of(command, model);
    const auto told = carry_out(store, as_entry(command));
    REQUIRE_EQ(effect.answer.what == register_answer::kind::error ? told.substr(0, 4) : told, as_reply(effect.answer));
    REQUIRE_EQ(carry_out(store, encoded(opcode::get, {"key"})), as_reply(register_answer::of(effect.after)));
    if (register_model{}.only_looks({command, effect.answer}))
      REQUIRE(effect.after == model);
    if (command.is_read())
      REQUIRE(effect.after == model);
    model = effect.after;
    ++answers[static_cast<std::size_t>(effect.answer.what)];
  }
  for (const auto count : answers)
    CHECK(count > 100); // Of every kind.
}
