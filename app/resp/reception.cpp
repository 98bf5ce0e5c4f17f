#include "app/resp/reception.hpp"

#include "troupe/assert.hpp"

#include <algorithm>
#include <utility>

namespace troupe::resp {

reception::reception(const reception_limits& limits, outside& around)
    : limits_{limits}, outside_{&around}, book_{limits.gather} {}

std::string reception::client_list() const {
  auto ids = std::vector<std::uint64_t>{};
  for (const auto& [id, one] : guests_)
    ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  auto text = std::string{};
  for (const auto id : ids)
    text += guests_.at(id).mind.about().description(now());
  return text;
}

// -- connections -----------------------------------------------------------------------------------------------------

guest& reception::let_in(client_identity who, std::int64_t line) {
  const auto id = who.id;
  const surroundings& around = *this;
  const auto [at, is_new] = guests_.try_emplace(id, std::move(who), line, limits_.each, book_, around);
  TROUPE_ASSERT(is_new, "no two clients have the same id");
  return at->second;
}

guest* reception::find(std::uint64_t id) {
  const auto at = guests_.find(id);
  return at == guests_.end() ? nullptr : &at->second;
}

void reception::hear(guest& from, std::string_view bytes) {
  if (from.leaving)
    return;
  from.mind.hear(bytes, from.replies.end());
  tend(from);
  // Whoever holds most makes room: commands that never end cannot keep out those that do.
  while (input_bytes_ > limits_.together.input_bytes)
    dismiss(holder_of_most(&guest::input_bytes),
            "BUSY too much input of all clients is waiting; what follows was not carried out, try again later");
  submit_soon();
}

void reception::hear_taken(guest& by, std::size_t bytes) {
  by.replies.written(bytes);
  by.mind.taken(bytes, by.replies.end());
  tend(by);
  submit_lots();
}

void reception::hear_end(guest& of) {
  of.silent = true;
  of.mind.hear_end();
  tend(of);
}

void reception::forget(const guest& whom) {
  const auto id = whom.id();
  count(guests_.at(id), 0, 0);
  guests_.erase(id);
}

void reception::dismiss(guest& whom, std::string_view error) {
  whom.mind.dismiss(error, whom.replies.end());
  tend(whom);
}

/// Does what a conversation wants done after it has heard something. The guest may be gone then.
void reception::tend(guest& one) {
  one.touched = false;
  outside_->say(one);
  count(one, one.mind.input_bytes(), one.mind.output_bytes());
  if (output_bytes_ > limits_.together.output_bytes && !make_room(one))
    return;
  if (one.mind.is_stuck())
    return part_from(one, "it does not take its replies");
  if (one.mind.wants_status() && !await_status(one))
    return tend(one); // It has been told at once.
  if (one.mind.is_over())
    return take_leave(one);
  if (one.mind.wants_input() == one.is_read)
    return;
  one.is_read = !one.is_read;
  outside_->listen(one, one.is_read);
}

/// Once per connection, however many answers came for it.
void reception::tend_touched() {
  for (const auto id : std::exchange(touched_, {}))
    if (auto* one = find(id))
      tend(*one);
}

guest* reception::touch(std::uint64_t id) {
  auto* one = find(id);
  if (one != nullptr && !std::exchange(one->touched, true))
    touched_.push_back(id);
  return one;
}

void reception::count(guest& one, std::size_t input_bytes, std::size_t output_bytes) {
  input_bytes_ = input_bytes_ - one.input_bytes + input_bytes;
  one.input_bytes = input_bytes;
  output_bytes_ = output_bytes_ - one.output_bytes + output_bytes;
  one.output_bytes = output_bytes;
}

/// Of equals the one that came first, so that the order of the map does not matter.
guest& reception::holder_of_most(std::size_t guest::*bytes) {
  const auto most = std::max_element(guests_.begin(), guests_.end(), [bytes](const auto& a, const auto& b) {
    return std::pair{a.second.*bytes, b.first} < std::pair{b.second.*bytes, a.first};
  });
  return most->second;
}

/// Hangs up on those who have most of the replies that nobody takes, until the others have room. Returns whether
/// `present` is still there.
bool reception::make_room(const guest& present) {
  const auto id = present.id();
  while (output_bytes_ > limits_.together.output_bytes)
    part_from(holder_of_most(&guest::output_bytes), "replies of all clients exceed their bound");
  return guests_.contains(id);
}

void reception::take_leave(guest& one) {
  if (!std::exchange(one.leaving, true))
    outside_->last_word_said(one);
  if (one.mind.unsent_bytes() > 0)
    return;
  if (one.silent || !outside_->last_word_out(one))
    part_from(one, "");
}

void reception::part_from(const guest& one, std::string_view why) {
  outside_->part_from(one, why);
  forget(one);
}

// -- operations ------------------------------------------------------------------------------------------------------

/// Many connections may have said something by now: it goes as one lot.
void reception::submit_soon() {
  if (submit_is_due_ || !book_.holds_any())
    return;
  submit_is_due_ = true;
  outside_->remind();
}

void reception::submit_gathered() {
  submit_is_due_ = false;
  submit_lots();
}

/// Under load there is a lot under way, and what comes gathers behind it; else it goes at once.
void reception::submit_lots() {
  if (!has_peer_)
    return abandon_lots();
  for (const auto what : {operation::command, operation::query})
    if (auto next = book_.next(what))
      outside_->hand_in(std::move(*next));
}

void reception::hear_accepted(const submission_accepted& m) {
  book_.accepted(m.number);
  submit_lots();
}

void reception::hear_answers(const submission_answered& m) {
  book_.answered(m, [this](const lot_book::delivery& part) {
    if (auto* one = touch(part.run.client))
      one->mind.hear_answers(part, one->replies.end());
  });
  tend_touched();
  submit_lots();
}

void reception::hear_refusal(const submission_refused& m) {
  book_.refused(m, [this, &m](const operation_run& run) { refuse(run, m.why); });
  tend_touched();
  submit_lots();
}

void reception::refuse(const operation_run& run, refusal why) {
  if (auto* one = touch(run.client))
    one->mind.hear_refusal(run, why, one->replies.end());
}

/// What follows the refused commands of a pipeline is refused as well, until nothing is left.
void reception::abandon_lots() {
  while (book_.holds_any()) {
    book_.abandon([this](const operation_run& run, bool submitted) {
      refuse(run, submitted ? refusal::uncertain : refusal::stopped);
    });
    tend_touched();
  }
}

// -- the peer --------------------------------------------------------------------------------------------------------

/// Returns whether it will be told later; if not, it has been told that it cannot.
bool reception::await_status(guest& one) {
  if (!has_peer_) {
    one.mind.hear_no_status(one.replies.end());
    return false;
  }
  status_wanted_.push_back(one.id());
  if (!is_asking_)
    ask_state();
  return true;
}

/// One question for all who want to know.
void reception::ask_state() {
  is_asking_ = true;
  status_asked_ = std::exchange(status_wanted_, {});
  outside_->ask_state();
}

void reception::hear_status(const node_status& status) {
  is_asking_ = false;
  for (const auto id : std::exchange(status_asked_, {}))
    if (auto* one = touch(id))
      one->mind.hear_status(status, one->replies.end());
  tend_touched();
  submit_lots();
  if (!status_wanted_.empty() && !is_asking_)
    ask_state();
}

void reception::hear_no_status() {
  is_asking_ = false;
  tell_no_status(std::exchange(status_asked_, {}));
  if (!status_wanted_.empty() && !is_asking_) // Who asked meanwhile has waited no longer than may be.
    ask_state();
}

void reception::tell_no_status(const std::vector<std::uint64_t>& whom) {
  for (const auto id : whom)
    if (auto* one = touch(id))
      one->mind.hear_no_status(one->replies.end());
  tend_touched();
  submit_lots();
}

void reception::lose_peer() {
  has_peer_ = false;
  tell_no_status(std::exchange(status_wanted_, {}));
  abandon_lots();
}

} // namespace troupe::resp
