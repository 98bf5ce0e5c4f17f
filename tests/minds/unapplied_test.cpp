#include "actors/peer/unapplied.hpp"

#include <doctest/doctest.h>

using namespace troupe;

TEST_CASE("law 6: what a slow service has not applied counts against what is accepted - what is lost does not") {
  unapplied pending;
  CHECK(pending.has_room(1000, 100)); // One is always let in.
  pending.accept(log_index{1}, 60);
  pending.accept(log_index{5}, 60);
  CHECK_FALSE(pending.has_room(1, 120));
  pending.applied_up_to(log_index{4});
  CHECK(pending.has_room(60, 120));
  pending.accept(log_index{6}, 60);
  pending.forget_behind(log_index{5});
  CHECK(pending.has_room(60, 120));
  CHECK_FALSE(pending.has_room(61, 120));
}
