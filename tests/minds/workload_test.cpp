// An applier's mind: entries and queries cut into portions.
#include "actors/applier/workload.hpp"

#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// Answers each command and query by its content, repeated.
class echo final : public state_machine {
public:
  explicit echo(std::size_t times) : times_{times} {}

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    std::size_t applied = 0;
    while (applied < commands.size() && !answers.is_full()) {
      const auto& next = commands[applied++];
      CHECK(next.index == last.next());
      last = next.index;
      query(next.content, answers);
    }
    return applied;
  }
  void query(std::string_view content, answer_list& answers) override {
    for (std::size_t i = 0; i < times_; ++i)
      answers.bytes += content;
    answers.end_answer();
  }
  std::unique_ptr<state_view> save() override { return nullptr; }
  void load(chunk_source&) override {}

  log_index last;

private:
  std::size_t times_;
};

struct somebody {
  int name = 0;
  log_index first;
  std::uint32_t count = 0;
  std::uint32_t offset = 0;
};

} // namespace

TEST_CASE("every awaited run gets its own answers, in order - what nobody awaits is applied all the same") {
  echo machine{1};
  entries_workload<somebody> load{{batch(1, 1, {"a", "b", "c"}), batch(1, 4, {"d", "e"})},
                                  {{1, log_index{2}, 1, 7}, {2, log_index{3}, 2, 0}}};
  std::vector<std::string> heard;
  while (!load.is_done()) {
    const auto portion = load.advance(machine);
    heard.push_back((portion.who ? std::to_string(portion.who->name) : "-") + "@" + std::to_string(portion.offset) + ":"
                    + portion.answers.bytes);
  }
  CHECK(heard == std::vector<std::string>{"-@0:a", "1@7:b", "2@0:cd", "-@0:e"});
  CHECK(machine.last == log_index{5});
  CHECK(load.last() == log_index{5});
}

TEST_CASE("large answers come in portions of about a megabyte, with rising offsets") {
  echo machine{300'000};
  entries_workload<somebody> load{{batch(1, 1, {"a", "b", "c", "d", "e", "f", "g", "h", "i"})},
                                  {{1, log_index{1}, 9, 100}}};
  std::uint32_t next = 100;
  while (!load.is_done()) {
    const auto portion = load.advance(machine);
    CHECK(portion.offset == next);
    CHECK(portion.answers.bytes.size() < answer_list::full_bytes + 300'000);
    next += static_cast<std::uint32_t>(portion.answers.count());
  }
  CHECK(next == 109);

  entry_block_builder block;
  for (int i = 0; i < 9; ++i)
    block.add(entry_kind::command, "q");
  query_workload<somebody> queries{block.take(), {1, {}, 9, 5}};
  int portions = 0;
  for (next = 5; !queries.is_done(); ++portions) {
    const auto portion = queries.advance(machine);
    CHECK(portion.offset == next);
    next += static_cast<std::uint32_t>(portion.answers.count());
  }
  CHECK(next == 14);
  CHECK(portions == 3);
}

TEST_CASE("what a stop leaves unanswered is known, each from the first missing answer on") {
  echo machine{600'000};
  entries_workload<somebody> load{{batch(1, 1, {"a", "b", "c", "d", "e"})},
                                  {{1, log_index{1}, 3, 10}, {2, log_index{5}, 1, 0}}};
  (void)load.advance(machine); // Two answers fill a portion.
  const auto left = load.unanswered();
  REQUIRE(left.size() == 2);
  CHECK(left[0].offset == 12);
  CHECK(left[1].name == 2);
  CHECK(left[1].offset == 0);

  entry_block_builder block;
  for (int i = 0; i < 3; ++i)
    block.add(entry_kind::command, "q");
  query_workload<somebody> queries{block.take(), {1, {}, 3, 5}};
  (void)queries.advance(machine);
  CHECK(queries.unanswered().offset == 7);
}
