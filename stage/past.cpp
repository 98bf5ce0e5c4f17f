#include "stage/past.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace troupe {

namespace {

/// Whether whoever has `mine` may vote for whoever has `theirs` (§5.4.1).
bool may_vote(const std::vector<term_number>& mine, const std::vector<term_number>& theirs) {
  const auto last = [](const auto& log) { return std::pair{log.empty() ? term_number{} : log.back(), log.size()}; };
  return last(theirs) >= last(mine);
}

/// A follower has heard of the first `count` entries of its leader's log (§5.3).
void hear(std::vector<term_number>& mine, const std::vector<term_number>& leaders, std::size_t count) {
  const auto end = leaders.begin() + static_cast<std::ptrdiff_t>(count);
  const auto [differs, theirs] = std::mismatch(mine.begin(), mine.end(), leaders.begin(), end);
  if (theirs == end)
    return;
  mine.erase(differs, mine.end());
  mine.insert(mine.end(), theirs, end);
}

} // namespace

std::vector<node_past> draw_pasts(dice& chance, std::uint64_t nodes) {
  std::vector<node_past> all(nodes);
  const auto terms = 2 + chance.below(6);
  for (auto term = term_number{1}; term.value() <= terms; term = term.next()) {
    const auto leader = chance.below(nodes);
    std::uint64_t votes = 0;
    for (std::uint64_t node = 0; node < nodes; ++node)
      if (node == leader || (may_vote(all[node].log, all[leader].log) && chance.chance(70))) {
        all[node].vote = {term, peer_id{leader + 1}};
        ++votes;
      }
    if (votes <= nodes / 2)
      continue;
    auto& log = all[leader].log;
    log.insert(log.end(), 1 + chance.below(5), term);
    for (std::uint64_t node = 0; node < nodes; ++node) {
      if (node == leader || chance.chance(50))
        continue;
      if (all[node].vote.current_term < term)
        all[node].vote = {term, nobody};
      hear(all[node].log, log, chance.below(log.size() + 1));
    }
  }
  return all;
}

} // namespace troupe
