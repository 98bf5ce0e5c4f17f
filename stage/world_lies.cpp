// A disk that reports syncs and does none, and what becomes of its node. See world.hpp.
//
// No system keeps what it was told is kept, and was not. What is asked of production is to notice, where a start can;
// what it cannot notice is the operator's: he knows that the machine lost power with such a disk, and does not start it
// again.
#include "stage/world.hpp"

#include <chrono>

namespace troupe {

namespace {

constexpr auto until_power_is_back = std::chrono::milliseconds{100};

} // namespace

void stage_world::begin_lying(peer_id id) {
  auto& node = at(id);
  if (node.retired)
    return;
  ++node.lies;
  node.lied = true;
  node.disk->lie(true);
  node.node->doubt(true);
}

void stage_world::end_lying(peer_id id) {
  auto& node = at(id);
  if (node.lies == 0 || --node.lies > 0)
    return;
  go_down(id); // While it still lies: or the next sync would make good what it did not do.
  node.disk->lie(false);
  runtime_.after(until_power_is_back, [this, id, epoch = fault_epoch_] {
    if (epoch == fault_epoch_)
      come_up(id);
  });
}

// It has started, and nobody has heard of it yet.
bool stage_world::survives_lie(peer_id id) {
  auto& node = at(id);
  node.lied = node.lies > 0;
  node.node->doubt(node.lied);
  if (const auto& missing = node.node->disk().gone_unnoticed()) {
    retire(id, sometimes::lie_unnoticed, "its disk has lied, and its start does not notice: " + *missing);
    return false;
  }
  // What was lied about may have been the identity, and with it a life that others have met.
  for (const auto other : ids()) {
    const auto met = at(other).book.find(id);
    if (met == at(other).book.end() || !met->second
        || may_have_lived(node.identity->boot, node.identity->lives, met->second->boot, met->second->life))
      continue;
    retire(id, sometimes::lie_refused,
           "its disk has lied, and node " + std::to_string(other.value()) + " has met a life it has forgotten");
    return false;
  }
  const auto lost = node.node->disk().vote().lost;
  const bool declares = lost != 0 && lost != node.lost;
  node.lost = lost;
  marks_.hit(declares ? sometimes::lie_declared : sometimes::lie_harmless);
  return true;
}

} // namespace troupe
