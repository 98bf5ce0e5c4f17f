// A disk that reports syncs and does none: what is there after the power went is weighed, not believed.
#include "stage/durable_model.hpp"
#include "stage/register_workload.hpp"
#include "stage/world.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// What a start finds that finds all entries up to the last, of term 1.
recovered_group found(const hard_state& vote, log_index last) {
  recovered_group group;
  group.vote = vote;
  group.last = last;
  if (last > log_index{})
    group.terms = {{log_index{1}, term_number{1}}};
  return group;
}

/// A disk that has called three entries of term 1 durable, and a vote.
durable_model promised() {
  durable_model model;
  entry_block_builder block;
  for (int i = 0; i < 3; ++i)
    block.add(entry_kind::no_op, {});
  log_write write;
  write.vote = hard_state{term_number{1}, peer_id{2}};
  write.append.push_back(entry_batch::stamp(block.take(), term_number{1}, log_index{1}, 0));
  model.submitted({write});
  model.synced();
  return model;
}

const hard_state voted{term_number{1}, peer_id{2}};
const hard_state declared{term_number{1}, peer_id{2}, 7};

} // namespace

TEST_CASE("What a disk in doubt lacks is told, and is no broken promise of recovery's") {
  auto model = promised();
  model.doubt(true);
  CHECK_FALSE(model.recovered(found(voted, log_index{2})).has_value());
  CHECK(model.gone_unnoticed() == "entry 3 is lost");
  CHECK(model.last() == log_index{2});
  REQUIRE(model.taken_at(log_index{3}) != nullptr); // It was acknowledged while it was believed to be there.
  model.doubt(false);
  CHECK(model.recovered(found(voted, log_index{1})) == "entry 2 is lost");
  CHECK_FALSE(model.gone_unnoticed().has_value());
}

TEST_CASE("A disk in doubt that has all, or says that it lost part of its log, lacks nothing unnoticed") {
  auto whole = promised();
  whole.doubt(true);
  CHECK_FALSE(whole.recovered(found(voted, log_index{3})).has_value());
  CHECK_FALSE(whole.gone_unnoticed().has_value());
  auto frank = promised();
  frank.doubt(true);
  CHECK_FALSE(frank.recovered(found(declared, log_index{1})).has_value());
  CHECK_FALSE(frank.gone_unnoticed().has_value());
}

TEST_CASE(
    "A loss that is declared is no silent one, also where a vote that was on its way to the disk has come there") {
  auto model = promised();
  CHECK_FALSE(model.recovered(found({term_number{2}, peer_id{3}, 7}, log_index{1})).has_value());
  auto silent = promised();
  CHECK(silent.recovered(found({term_number{2}, peer_id{3}}, log_index{1})) == "entry 2 is lost");
}

TEST_CASE("A loss of its log does not excuse that a disk has lost its vote, too") {
  auto model = promised();
  model.doubt(true);
  CHECK_FALSE(model.recovered(found({term_number{1}, nobody, 7}, log_index{1})).has_value());
  CHECK(model.gone_unnoticed() == "it was in term 1, vote for 2, and would be in term 1, no vote, a loss");
}

TEST_CASE("Whether or not it lied, a disk that forgets a loss before it is repaired has lost something") {
  const std::string forgotten = "it said that it had lost something, loss 7, and now says 0";
  auto model = promised();
  model.doubt(true);
  CHECK_FALSE(model.recovered(found(declared, log_index{1})).has_value());
  CHECK_FALSE(model.recovered(found(voted, log_index{1})).has_value());
  CHECK(model.gone_unnoticed() == forgotten);
  auto honest = promised();
  CHECK_FALSE(honest.recovered(found(declared, log_index{1})).has_value());
  CHECK(honest.recovered(found(voted, log_index{1})) == forgotten);
}

TEST_CASE("A repair that was written and not synced may survive the power, and is no forgotten loss") {
  auto model = promised();
  CHECK_FALSE(model.recovered(found(declared, log_index{3})).has_value());
  log_write repaired;
  repaired.vote = voted;
  model.submitted({repaired});
  CHECK_FALSE(model.recovered(found(voted, log_index{3})).has_value());
}

TEST_CASE("P15: whatever a lying disk has lost, its node is refused, repaired, retired or whole, and nothing that was "
          "acknowledged is lost") {
  coverage met;
  std::uint64_t played = 0;
  over_seeds(40, [&](std::uint64_t seed) {
    world_options options;
    options.knobs = plain_knobs(3);
    options.knobs.operations_per_second = 50;
    options.knobs.segment_bytes = 4096; // Names are lied about, too.
    const auto result = play(
        seed, options, [](const stage_knobs&) { return make_register_workload(5, 30, 16); },
        [&](stage_world& world) {
          world.start_all();
          world.runtime().run_for(2s);
          fault lie;
          lie.what = fault_kind::lie;
          lie.node = seed % 3 == 0 ? world.leader() : peer_id{1 + seed % 3};
          REQUIRE(lie.node != nobody);
          lie.lasts = seed % 2 == 0 ? duration{5ms} : duration{2s};
          world.strike(lie);
          world.runtime().run_for(lie.lasts + 5s);
          const auto& marks = world.marks();
          const auto weighed = marks.of(sometimes::lie_refused) + marks.of(sometimes::lie_declared)
              + marks.of(sometimes::lie_unnoticed) + marks.of(sometimes::lie_harmless);
          CHECK(weighed == 1);
          CHECK(world.is_retired(lie.node)
                == (marks.of(sometimes::lie_refused) + marks.of(sometimes::lie_unnoticed) > 0));
          CHECK(world.is_alive(lie.node) != world.is_retired(lie.node));
          if (world.is_alive(lie.node))
            CHECK_FALSE(world.has_loss(lie.node)); // It has its say again.
          world.demand_liveness();
        });
    CHECK_MESSAGE(!result.violation, result.violation.value_or(""));
    ++played;
    met.add(result.marks);
  });
  for (const auto mark :
       {sometimes::lie_refused, sometimes::lie_declared, sometimes::lie_unnoticed, sometimes::lie_harmless})
    CHECK_MESSAGE((met.of(mark) > 0 || played < 40), name_of(mark)); // Or nothing was shown.
}

TEST_CASE(
    "O3: A node whose lying disk has forgotten a life that others have met takes no part, and no quorum counts on it") {
  std::uint64_t played = 0, taken_out = 0;
  over_seeds(20, [&](std::uint64_t seed) {
    world_options options;
    options.knobs = plain_knobs(3);
    const auto strike = [](stage_world& world, fault_kind what, duration lasts, peer_id node, peer_id other = nobody) {
      fault f;
      f.what = what;
      f.node = node;
      f.other = other;
      f.lasts = lasts;
      world.strike(f);
    };
    const auto result = play(
        seed, options, [](const stage_knobs&) { return make_register_workload(5, 30, 16); },
        [&](stage_world& world) {
          world.start_all();
          world.runtime().run_for(2s);
          const peer_id liar{1}; // It is heard, and hears nobody: nothing else of it can be lost than that life.
          for (const auto other : {peer_id{2}, peer_id{3}})
            strike(world, fault_kind::cut, 20s, other, liar);
          world.runtime().run_for(100ms);
          strike(world, fault_kind::lie, 5s, liar);
          world.runtime().run_for(800ms);
          strike(world, fault_kind::crash, 200ms, liar);
          world.runtime().run_for(4100ms);
          strike(world, fault_kind::isolate, 60s, liar); // The next life meets nobody before a quorum is healed.
          world.runtime().run_for(4s);
          taken_out += world.is_retired(liar) ? 1 : 0;
          world.demand_liveness();
        });
    CHECK_MESSAGE(!result.violation, result.violation.value_or(""));
    ++played;
  });
  CHECK((taken_out > 0 || played < 20)); // Or nothing was shown.
}
