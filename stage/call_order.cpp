#include "stage/call_order.hpp"

#include "troupe/assert.hpp"

#include <algorithm>
#include <numeric>

namespace troupe {

namespace {

constexpr std::size_t word_bits = 64;

std::vector<std::uint64_t> bits_for(std::size_t count) {
  return std::vector<std::uint64_t>((count + word_bits - 1) / word_bits);
}

void flip(std::vector<std::uint64_t>& bits, std::size_t at) {
  bits[at / word_bits] ^= std::uint64_t{1} << at % word_bits;
}

bool is_set(const std::vector<std::uint64_t>& bits, std::size_t at) {
  return (bits[at / word_bits] >> at % word_bits & 1) != 0;
}

} // namespace

call_order::call_order(const std::vector<times>& calls) : calls_{calls}, rank_(calls.size()) {
  std::vector<std::size_t> by_invocation(calls_.size());
  std::iota(by_invocation.begin(), by_invocation.end(), std::size_t{0});
  std::stable_sort(by_invocation.begin(), by_invocation.end(),
                   [&](std::size_t a, std::size_t b) { return calls_[a].invoked < calls_[b].invoked; });
  for (const auto call : by_invocation) {
    TROUPE_ASSERT(calls_[call].invoked <= calls_[call].returned, "a call returns after it was invoked");
    auto& ranked = is_open(call) ? open_ : answered_;
    rank_[call] = ranked.size();
    ranked.push_back(call);
  }
  answered_bits_ = bits_for(answered_.size());
  open_bits_ = bits_for(open_.size());

  std::vector<event> events(end());
  std::iota(events.begin(), events.end(), event{0});
  // Of events with one number, invocations come first: who returned then was not before who was invoked then.
  std::stable_sort(events.begin(), events.end(), [&](event a, event b) {
    return std::pair{time_of(a), a % 2} < std::pair{time_of(b), b % 2};
  });
  next_.resize(end() + 1);
  previous_.resize(end() + 1);
  auto before = end();
  for (const auto at : events) {
    next_[before] = at;
    previous_[at] = before;
    before = at;
  }
  next_[before] = end();
  previous_[end()] = before;
}

event_ordinal call_order::time_of(event at) const {
  const auto& call = calls_[answered_[at / 2]];
  return at % 2 == 0 ? call.invoked : call.returned;
}

std::size_t call_order::invoked_by(const std::vector<std::size_t>& ranked, event_ordinal time) const {
  const auto later = std::upper_bound(ranked.begin(), ranked.end(), time,
                                      [&](event_ordinal t, std::size_t call) { return t < calls_[call].invoked; });
  return static_cast<std::size_t>(later - ranked.begin());
}

call_order::cursor call_order::first() const {
  cursor where;
  where.at_ = next_[end()];
  return where;
}

std::optional<std::size_t> call_order::candidate(cursor& where) const {
  if (!where.is_among_open_) {
    TROUPE_ASSERT(where.at_ != end(), "an answered call is left to be placed");
    if (where.at_ % 2 == 0)
      return answered_[where.at_ / 2];
    // The first return: what was invoked after it must come later.
    where.is_among_open_ = true;
    where.at_ = invoked_by(open_, time_of(where.at_));
  }
  while (where.at_ > 0 && is_set(open_bits_, where.at_ - 1))
    --where.at_;
  return where.at_ > 0 ? std::optional{open_[where.at_ - 1]} : std::nullopt;
}

void call_order::pass(cursor& where) const {
  if (where.is_among_open_)
    --where.at_;
  else
    where.at_ = next_[where.at_];
}

void call_order::lift(event at) {
  next_[previous_[at]] = next_[at];
  previous_[next_[at]] = previous_[at];
}

void call_order::put_back(event at) {
  next_[previous_[at]] = at;
  previous_[next_[at]] = at;
}

void call_order::place(std::size_t call) {
  const auto rank = rank_[call];
  if (is_open(call))
    return flip(open_bits_, rank);
  flip(answered_bits_, rank);
  ++answered_and_placed_;
  lift(2 * rank);
  lift(2 * rank + 1);
}

void call_order::take_back(std::size_t call) {
  const auto rank = rank_[call];
  if (is_open(call))
    return flip(open_bits_, rank);
  flip(answered_bits_, rank);
  --answered_and_placed_;
  put_back(2 * rank + 1);
  put_back(2 * rank);
}

bool call_order::is_placed(std::size_t call) const {
  return is_set(is_open(call) ? open_bits_ : answered_bits_, rank_[call]);
}

std::vector<std::uint64_t> call_order::placed() const {
  // All before the first event that is left are placed, and none that was invoked after the first return is.
  auto at = next_[end()];
  const auto first_left = at == end() ? answered_.size() : at / 2;
  while (at != end() && at % 2 == 0)
    at = next_[at];
  const auto candidates = at == end() ? answered_.size() : invoked_by(answered_, time_of(at));
  const auto begin = first_left / word_bits;
  std::vector<std::uint64_t> words{first_left};
  words.reserve(1 + (candidates - first_left) / word_bits + 2 + open_bits_.size());
  for (auto word = begin; word * word_bits < candidates; ++word)
    words.push_back(answered_bits_[word]);
  words.insert(words.end(), open_bits_.begin(), open_bits_.end());
  return words;
}

} // namespace troupe
