#include "actors/peer/read_index.hpp"

#include "messages/mutant.hpp"

namespace troupe {

bool read_index::open_round(std::optional<log_index> commit) {
  if (fresh_.empty())
    return false;
  if (round_ == 0 || !TROUPE_MUTANT(Q3))
    ++round_;
  for (auto& read : fresh_) {
    read.at = commit;
    read.round = round_;
    waiting_.push_back(read);
  }
  fresh_.clear();
  return true;
}

std::vector<confirmed_read> read_index::confirm(std::uint64_t acknowledged, std::optional<log_index> commit) {
  std::vector<confirmed_read> confirmed;
  if (!commit)
    return confirmed;
  while (!waiting_.empty() && waiting_.front().round <= acknowledged) {
    // A read from before the first commit of the term takes the index that is known by now.
    confirmed.push_back({waiting_.front().ticket, waiting_.front().at.value_or(*commit)});
    waiting_.pop_front();
  }
  return confirmed;
}

std::vector<std::uint64_t> read_index::expire(instant arrival) {
  std::vector<std::uint64_t> expired;
  for (auto* reads : {&waiting_, &fresh_})
    while (!reads->empty() && reads->front().arrived <= arrival) {
      expired.push_back(reads->front().ticket);
      reads->pop_front();
    }
  return expired;
}

std::vector<std::uint64_t> read_index::abandon() {
  return expire(instant::max());
}

} // namespace troupe
