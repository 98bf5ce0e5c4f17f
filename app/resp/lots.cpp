#include "app/resp/lots.hpp"

namespace troupe::resp {

std::string& lot_book::begin(operation what, std::size_t bytes) {
  auto& waiting = of(what).waiting;
  if (waiting.empty()
      || (waiting.back().block.count() > 0 && waiting.back().block.size_bytes() + bytes > limits_.lot_bytes))
    waiting.emplace_back();
  auto& block = waiting.back().block;
  size_before_ = block.size_bytes();
  block.begin_entry(entry_kind::command);
  return block.payload();
}

void lot_book::end(operation what, std::uint64_t client, std::uint64_t sequence) {
  auto& lot = of(what).waiting.back();
  lot.block.end_entry();
  waiting_bytes_ += lot.block.size_bytes() - size_before_;
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

} // namespace troupe::resp
