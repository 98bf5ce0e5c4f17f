#include "app/resp/conversation.hpp"

#include "app/kv/reply.hpp"
#include "app/resp/introspection.hpp"
#include "app/resp/refusals.hpp"
#include "app/resp/resp3.hpp"
#include "troupe/assert.hpp"

namespace troupe::resp {

namespace {

/// While commands wait for earlier ones, this much more is read from the client before it is left alone: a short wait
/// then costs no system call.
constexpr std::size_t read_ahead_bytes = std::size_t{64} << 10;

/// The first words of what a browser sends. A page could otherwise have it write to a server on its own machine: the
/// rest of the request would be commands.
bool is_of_a_browser(std::string_view word) {
  return word.size() <= 5 && (is_word(word, "post") || is_word(word, "host:"));
}

/// How many values of the store the reply to an operation may bring.
std::size_t values_of(const operation_plan& operation, std::size_t arguments) {
  switch (operation.code) {
  case kv::opcode::get:
  case kv::opcode::get_set: return 1;
  case kv::opcode::set: return operation.flags & kv::set_and_get ? 1 : 0;
  case kv::opcode::mget: return arguments - 1;
  default: return 0;
  }
}

} // namespace

conversation::conversation(client_identity who, const client_limits& limits, lot_book& book, const surroundings& around)
    : limits_{&limits}, book_{&book}, around_{&around}, session_{std::move(who), {}, {}, {}, false}, parser_{limits},
      value_bytes_{book.value_bytes()} {}

void conversation::hear(std::string_view bytes, output& out) {
  if (ending_)
    return;
  parser_.feed(bytes);
  take_commands(out);
  parser_.settle();
}

bool conversation::may_go_on() const {
  return !ending_ && slots_.size() < limits_->pipeline && output_bytes() <= limits_->output_pause_bytes;
}

void conversation::take_commands(output& out) {
  held_ = false;
  while (may_go_on()) {
    const auto found = parser_.next();
    if (found == parser::outcome::incomplete)
      return;
    if (found == parser::outcome::broken)
      return dismiss("ERR " + std::string{parser_.error()}, out);
    if (!take_command(parser_.arguments(), out))
      break;
    parser_.drop_command();
  }
  held_ = !ending_;
}

bool conversation::take_command(std::span<const std::string_view> arguments, output& out) {
  const auto* command = find_command(arguments.front());
  if (!command) {
    if (is_of_a_browser(arguments.front())) {
      dismiss("ERR this is no web server", out);
      return false;
    }
    say_error(unknown_command(arguments), out);
    return true;
  }
  if (!command->takes(arguments.size())) {
    say_error(wrong_arity(command->name), out);
    return true;
  }
  if (command->is_operation())
    return take_operation(command->what, arguments, out);
  if (command->what == verb::info || command->what == verb::troupe) {
    ask_status(*command, arguments, out);
    return true;
  }
  ending_ = command->what == verb::quit;
  scratch_.clear();
  carry_out_locally(session_, *around_, *command, arguments, scratch_);
  say(scratch_, out, ending_);
  return true;
}

bool conversation::take_operation(verb what, std::span<const std::string_view> arguments, output& out) {
  const auto planned = plan(what, arguments);
  if (const auto* error = std::get_if<std::string_view>(&planned)) {
    say_error(*error, out);
    return true;
  }
  const auto& operation = std::get<operation_plan>(planned);
  const auto is_read = kv::is_read(operation.code);
  if (!is_read && queries_ > 0)
    return false; // It would overtake the reads ahead of it.
  const auto values = values_of(operation, arguments.size());
  if (!may_ask_for(values))
    return false;
  const auto bytes = encoded_bytes(arguments);
  if (!book_->has_room(bytes)) {
    say_error(refusal_text(refusal::busy, !is_read), out);
    return true;
  }
  const auto way = is_read && logged_ == 0 ? troupe::operation::query : troupe::operation::command;
  encode(operation, arguments, book_->begin(way, bytes, values * value_bytes_));
  book_->end(way, session_.who.id, first_sequence_ + slots_.size());
  auto& place = slots_.emplace_back();
  place.resp3 = session_.resp3;
  place.values = static_cast<std::uint32_t>(values);
  awaited_values_ += values;
  place.what = !is_read ? awaits::write : way == troupe::operation::command ? awaits::logged_read : awaits::query;
  ++(place.what == awaits::query ? queries_ : logged_);
  return true;
}

void conversation::ask_status(const command_description& command, std::span<const std::string_view> arguments,
                              output& out) {
  auto place = slot{};
  place.resp3 = session_.resp3;
  if (command.what == verb::info) {
    place.what = awaits::info;
    for (const auto section : arguments.subspan(1))
      place.text += lower_case(section) + " ";
  } else if (is_word(arguments[1], "status")) {
    if (arguments.size() != 2)
      return say_error(wrong_arity("troupe|status"), out);
    place.what = awaits::json;
  } else {
    return say_error(unknown_subcommand(arguments[1], "TROUPE"), out);
  }
  held_reply_bytes_ += place.text.size();
  slots_.push_back(std::move(place));
  status_wanted_ = true;
}

bool conversation::wants_status() {
  return std::exchange(status_wanted_, false);
}

void conversation::hear_status(const node_status& status, output& out) {
  for (auto& place : slots_) {
    auto text = std::string{};
    if (place.what == awaits::info)
      text = info_text(status, place.text);
    else if (place.what == awaits::json)
      text = status_json(status.peer);
    else
      continue;
    const auto verbatim = place.resp3 && place.what == awaits::info;
    scratch_.clear();
    reply::append_header(scratch_, verbatim ? '=' : '$', static_cast<std::int64_t>(text.size() + (verbatim ? 4 : 0)));
    scratch_.append(verbatim ? "txt:" : "").append(text).append("\r\n");
    hold(place, scratch_);
  }
  say_ready(out);
  take_commands(out);
  parser_.settle();
}

void conversation::hear_no_status(output& out) {
  for (auto& place : slots_)
    if (place.what == awaits::info || place.what == awaits::json) {
      scratch_.clear();
      reply::append_error(scratch_, refusal_text(refusal::stopped, false));
      hold(place, scratch_);
    }
  say_ready(out);
  take_commands(out);
  parser_.settle();
}

void conversation::hear_answers(const lot_book::delivery& delivered, output& out) {
  for (std::uint32_t i = 0; i < delivered.run.count; ++i)
    fill(delivered.run.first_sequence + i, delivered.answers.at(delivered.first + i), out);
  say_ready(out);
  take_commands(out);
  parser_.settle();
}

void conversation::hear_refusal(const operation_run& run, refusal why, output& out) {
  auto text = std::string{};
  for (std::uint32_t i = 0; i < run.count; ++i) {
    const auto sequence = run.first_sequence + i;
    TROUPE_ASSERT(sequence >= first_sequence_ && sequence - first_sequence_ < slots_.size(), "a slot awaits it");
    text.clear();
    reply::append_error(text, refusal_text(why, slots_[sequence - first_sequence_].what == awaits::write));
    fill(sequence, text, out);
  }
  say_ready(out);
  take_commands(out);
  parser_.settle();
}

void conversation::fill(std::uint64_t sequence, std::string_view reply, output& out) {
  const auto at = sequence - first_sequence_;
  TROUPE_ASSERT(sequence >= first_sequence_ && at < slots_.size(), "an answer finds the slot that awaits it");
  auto& place = slots_[at];
  TROUPE_ASSERT(place.what == awaits::query || place.what == awaits::logged_read || place.what == awaits::write,
                "an operation is answered once");
  --(place.what == awaits::query ? queries_ : logged_);
  learn(reply.size(), place.values);
  if (place.resp3) {
    scratch_.clear();
    append_as_resp3(scratch_, reply);
    reply = scratch_;
  }
  if (at != 0)
    return hold(place, reply);
  write(reply, out);
  slots_.pop_front();
  ++first_sequence_;
  // What was filled out of order stands right behind, if anything does; `say_ready` looks for it once per batch, and
  // here, so that the front is never a filled slot when the next answer comes.
  if (!slots_.empty() && slots_.front().what == awaits::nothing)
    say_ready(out);
}

bool conversation::may_ask_for(std::size_t values) const {
  return values == 0 || awaited_values_ == 0
      || (awaited_values_ + values) * value_bytes_ <= limits_->output_pause_bytes;
}

/// Expects the next values to be as large as the largest of late.
void conversation::learn(std::size_t reply_bytes, std::size_t values) {
  if (values == 0)
    return;
  awaited_values_ -= values;
  value_bytes_ = lot_book::learned(value_bytes_, reply_bytes / values);
  book_->learn_value_bytes(reply_bytes / values);
}

void conversation::say_error(std::string_view text, output& out) {
  scratch_.clear();
  reply::append_error(scratch_, text);
  say(scratch_, out);
}

void conversation::say(std::string_view reply, output& out, bool last) {
  if (slots_.empty()) {
    write(reply, out);
    over_ = over_ || last;
    return;
  }
  auto& place = slots_.emplace_back();
  place.last = last;
  hold(place, reply);
}

/// Keeps a reply until those before it are said.
void conversation::hold(slot& place, std::string_view reply) {
  held_reply_bytes_ = held_reply_bytes_ - place.text.size() + reply.size();
  place.text = reply;
  place.what = awaits::nothing;
}

void conversation::say_ready(output& out) {
  while (!slots_.empty() && slots_.front().what == awaits::nothing) {
    write(slots_.front().text, out);
    held_reply_bytes_ -= slots_.front().text.size();
    over_ = over_ || slots_.front().last;
    slots_.pop_front();
    ++first_sequence_;
  }
}

void conversation::write(std::string_view bytes, output& out) {
  if (over_ || is_stuck())
    return;
  out.insert(out.end(), bytes.begin(), bytes.end());
  unsent_bytes_ += bytes.size();
}

void conversation::dismiss(std::string_view error, output& out) {
  ending_ = true;
  dismissal_ = error;
  scratch_.clear();
  reply::append_error(scratch_, error);
  say(scratch_, out, true);
  parser_.give_up();
}

void conversation::taken(std::size_t bytes, output& out) {
  TROUPE_ASSERT(bytes <= unsent_bytes_, "a client takes no more than was said");
  unsent_bytes_ -= bytes;
  if (!held_)
    return;
  take_commands(out);
  parser_.settle();
}

bool conversation::wants_input() const {
  return !ending_ && !heard_all_ && (!held_ || parser_.held_bytes() < read_ahead_bytes);
}

} // namespace troupe::resp
