#include "actors/port/lots.hpp"

namespace troupe {

std::string& lot_book::begin(operation what, std::size_t bytes, std::size_t answer_bytes) {
  auto& waiting = of(what).waiting;
  const auto is_full = [&](const lot& last) {
    return last.block.count() > 0
        && (last.block.size_bytes() + bytes > limits_.lot_bytes
            || last.answer_bytes + answer_bytes > limits_.lot_answer_bytes);
  };
  if (waiting.empty() || is_full(waiting.back()))
    waiting.emplace_back();
  waiting.back().answer_bytes += answer_bytes;
  auto& block = waiting.back().block;
  size_before_ = block.size_bytes();
  block.begin_entry(entry_kind::command);
  return block.payload();
}

void lot_book::end(operation what, std::uint64_t client, std::uint64_t sequence) {
  auto& lot = of(what).waiting.back();
  lot.block.end_entry();
  const auto bytes = lot.block.size_bytes() - size_before_;
  waiting_bytes_ += bytes;
  lot.cost_bytes += bytes + operation_cost_bytes;
  unanswered_bytes_ += bytes + operation_cost_bytes;
  if (!lot.runs.empty()) {
    auto& last = lot.runs.back();
    if (last.client == client && last.first_sequence + last.count == sequence) {
      ++last.count;
      return;
    }
  }
  lot.runs.push_back({client, sequence, 1});
}

std::optional<lot_book::submission> lot_book::next(operation what) {
  auto& kind = of(what);
  if (kind.unaccepted || kind.waiting.empty())
    return std::nullopt;
  const auto answer_bytes = kind.waiting.front().answer_bytes;
  if (answer_bytes > 0 && expected_bytes_ > 0 && expected_bytes_ + answer_bytes > limits_.answer_bytes)
    return std::nullopt;
  expected_bytes_ += answer_bytes;
  auto lot = std::move(kind.waiting.front());
  kind.waiting.pop_front();
  waiting_bytes_ -= lot.block.size_bytes();
  auto next = submission{++last_number_, what, lot.block.take()};
  TROUPE_ASSERT(next.block.count > 0, "a lot holds at least one operation");
  kind.unaccepted = next.number;
  submitted_.emplace(next.number, std::move(lot));
  return next;
}

void lot_book::accepted(std::uint64_t number) {
  for (auto& kind : kinds_)
    if (kind.unaccepted == number)
      kind.unaccepted.reset();
}

} // namespace troupe
