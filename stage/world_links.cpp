// Who believes whom: what nodes say of themselves to each other, judged as at production's doors. See world.hpp.
#include "stage/world.hpp"

#include <chrono>
#include <utility>

namespace troupe {

namespace {

std::string text(peer_id id) {
  return std::to_string(id.value());
}

} // namespace

// Both ends of a link judge each other by what they say of themselves, as at production's doors; who is told that he
// has forgotten his votes ends.
bool stage_world::believes(peer_id from, peer_id to) {
  auto& speaker = at(from);
  auto& listener = at(to);
  if (!speaker.identity || !listener.identity)
    return true; // On its way when its sender died, or to nobody: not for this to say.
  const auto key = std::pair{from.value() << 32 | speaker.life, to.value() << 32 | listener.life};
  const auto [known, is_new] = belief_.emplace(key, true);
  if (!is_new)
    return known->second;
  const auto words = introduce(*speaker.identity, to);
  if (const auto notice = judge(*listener.identity, listener.book, words)) {
    known->second = false;
    listener.book[from] = refused(listener.book[from], words, notice->reason);
    const bool is_old = notice->reason == link_refusal::old_disk;
    if (is_old && !speaker.is_impostor && !speaker.lied)
      runtime_.judge().fail("I14: node " + text(to) + " takes the disk of node " + text(from)
                            + " for an older copy, and it is the only one there ever was");
    if (is_old && speaker.is_impostor)
      wear_out(from);
    if (is_old || notice->reason == link_refusal::changed_disk)
      runtime_.after(duration::zero(), [this, from, life = speaker.life, is_old, said = notice->words] {
        if (at(from).life == life)
          retire(from, is_old ? sometimes::old_copy_refused : sometimes::wiped_disk_refused, said);
      });
    return false;
  }
  if (speaker.is_impostor)
    runtime_.judge().fail("I14: node " + text(to) + " believes node " + text(from)
                          + ", whose disk has forgotten what it promised");
  listener.book[from] = met(listener.book[from], words);
  hear_late(from, to);
  return true;
}

// Whatever looks after a node starts it again, however often it is refused: that must not make it another one for those
// who have not met it meanwhile.
void stage_world::wear_out(peer_id impostor) {
  constexpr std::size_t starts = lives_kept + 10;
  auto words = introduce(*at(impostor).identity, nobody);
  try {
    const auto last = at(impostor).disk->after_refusals(starts);
    words.boot = last.boot;
    words.lives = last.lives;
  } catch (const storage_error&) {
    return; // It would not start.
  }
  for (const auto id : ids()) {
    if (id == impostor || !at(id).book[impostor])
      continue;
    words.to = id;
    const link_identity judging{words.cluster, id, {}};
    if (!judge(judging, {{impostor, at(id).book[impostor]}}, words))
      runtime_.judge().fail("I14: node " + text(id) + " would believe node " + text(impostor)
                            + ", whose disk is an older copy, if that were refused by others and started "
                            + std::to_string(starts) + " times");
  }
}

// While a host stands still, both lives of a node may call it, and the earlier one's words may be read last.
void stage_world::hear_late(peer_id from, peer_id to) {
  auto& listener = at(to);
  if (!at(from).in_last_life)
    return;
  const auto words = introduce(*at(from).in_last_life, to);
  if (const auto notice = judge(*listener.identity, listener.book, words))
    listener.book[from] = refused(listener.book[from], words, notice->reason);
}

} // namespace troupe
