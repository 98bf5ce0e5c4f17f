#include "stage/request_windows.hpp"

#include <algorithm>

namespace troupe {

void request_windows::leaves(const append_entries& sent) {
  request one;
  one.number = sent.number;
  for (const auto& batch : sent.batches) {
    one.bytes += batch.size_bytes();
    one.entries += batch.count();
  }
  if (one.entries == 0)
    return;
  if (one.entries > limits_.request_entries || (one.entries > 1 && one.bytes > limits_.request_bytes))
    fail(sent.about,
         "sends " + std::to_string(one.entries) + " entries of " + std::to_string(one.bytes)
             + " bytes in one request; its bounds are " + std::to_string(limits_.request_entries) + " and "
             + std::to_string(limits_.request_bytes));
  auto& open = windows_[{sent.about.from, sent.about.to}];
  if (open.term != sent.about.term || open.incarnation != sent.incarnation)
    open = {sent.about.term, sent.incarnation, {}, {}, {}};
  if (open.end != sent.previous) // Who sends something else than what comes next has given up what was under way.
    open.under_way.clear();
  require_room(open, sent);
  open.end = sent.batches.back().last_position();
  one.last = open.end.index;
  if (one.last > open.proven)
    open.under_way.push_back(one);
}

// The last request may go beyond the bytes and entries, but none may follow it.
void request_windows::require_room(const window& open, const append_entries& request) {
  std::size_t bytes = 0;
  std::size_t entries = 0;
  for (const auto& each : open.under_way) {
    bytes += each.bytes;
    entries += each.entries;
  }
  if (entries > 0
      && (bytes >= limits_.in_flight_bytes || entries >= limits_.in_flight_entries
          || open.under_way.size() >= limits_.in_flight_requests))
    fail(request.about,
         "sends a request more while " + std::to_string(open.under_way.size()) + " with " + std::to_string(entries)
             + " entries of " + std::to_string(bytes) + " bytes are not answered; its bounds are "
             + std::to_string(limits_.in_flight_requests) + ", " + std::to_string(limits_.in_flight_entries) + " and "
             + std::to_string(limits_.in_flight_bytes));
}

void request_windows::leaves(const install_snapshot& piece) {
  if (piece.bytes.size() > limits_.snapshot_piece_bytes)
    fail(piece.about,
         "sends a piece of a snapshot of " + std::to_string(piece.bytes.size()) + " bytes; its bound is "
             + std::to_string(limits_.snapshot_piece_bytes));
}

// An answer ends what was sent before it, too: it may show that it was lost. And what it proves needs no other answer.
void request_windows::arrives(const append_reply& reply) {
  const auto found = windows_.find({reply.about.to, reply.about.from});
  if (found == windows_.end() || found->second.incarnation != reply.incarnation)
    return;
  auto& open = found->second;
  if (reply.success)
    open.proven = std::max(open.proven, reply.match);
  while (!open.under_way.empty()
         && (open.under_way.front().number <= reply.number || open.under_way.front().last <= open.proven))
    open.under_way.pop_front();
}

void request_windows::fail(const envelope& about, const std::string& words) {
  judge_.fail("I16: leader " + std::to_string(about.from.value()) + " of term " + std::to_string(about.term.value())
              + ", to node " + std::to_string(about.to.value()) + ", " + words);
}

} // namespace troupe
