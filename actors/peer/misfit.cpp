#include "actors/peer/misfit.hpp"

#include <chrono>

namespace troupe {

namespace {

std::string in_words(duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(span).count()) + " us";
}

std::string must_be(const char* name, duration value, const char* relation, const char* other, duration than) {
  return std::string{name} + " (" + in_words(value) + ") must be " + relation + ' ' + other + " (" + in_words(than)
      + ')';
}

} // namespace

std::string misfit(const peer_options& options) {
  const auto& times = options.times;
  const auto& limits = options.limits;
  constexpr auto none = duration::zero();
  if (times.heartbeat <= none)
    return must_be("times.heartbeat", times.heartbeat, "more than", "nothing", none);
  if (times.commit_notice < none)
    return must_be("times.commit_notice", times.commit_notice, "at least", "nothing", none);
  if (times.election_timeout_min <= 2 * times.heartbeat)
    return must_be("times.election_timeout_min", times.election_timeout_min, "more than", "2 x times.heartbeat",
                   2 * times.heartbeat);
  if (times.election_timeout_max <= times.election_timeout_min)
    return must_be("times.election_timeout_max", times.election_timeout_max, "more than", "times.election_timeout_min",
                   times.election_timeout_min);
  if (options.client_deadline <= none)
    return must_be("client_deadline", options.client_deadline, "more than", "nothing", none);
  if (limits.request_bytes == 0 || limits.request_entries == 0 || limits.in_flight_bytes == 0
      || limits.in_flight_entries == 0 || limits.in_flight_requests == 0)
    return "limits.request_* and limits.in_flight_* must be at least 1: nothing could ever be replicated";
  if (limits.uncommitted_bytes == 0 || limits.proposal_bytes == 0 || limits.apply_backlog_bytes == 0
      || limits.waiting_reads == 0 || limits.waiting_read_bytes == 0 || limits.forwarded_bytes == 0)
    return "limits.uncommitted_bytes, proposal_bytes, apply_backlog_bytes, waiting_reads, waiting_read_bytes and "
           "forwarded_bytes must be at least 1: no client could ever be served";
  if (limits.snapshot_piece_bytes == 0)
    return "limits.snapshot_piece_bytes must be at least 1: no snapshot could ever be sent";
  if (options.snapshots.kept == 0)
    return "snapshots.kept must be at least 1: nothing would stand for what the log forgets";
  return {};
}

} // namespace troupe
