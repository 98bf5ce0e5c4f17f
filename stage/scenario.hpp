/// \file
/// Stories written by hand, a line each (docs/scenarios.md): what a cluster is, what befalls it and when, and what is
/// expected of it.
#pragma once

#include "stage/world.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// Nodes as a line names them; which ones that is shows when the line is played.
struct cast_member {
  enum class kind : std::uint8_t {
    number,    ///< Node `number`.
    leader,    ///< Who leads with a majority in touch, or else who believes to, in the highest term.
    follower,  ///< The `number`-th behind the leader, round the ring, of those in touch with it.
    any,       ///< `number` nodes by chance, no two the same.
    called,    ///< Who was called `name` by a line before.
    followers, ///< All that are in touch with the leader.
    all
  };
  kind what = kind::number;
  std::uint64_t number = 0;
  std::string name;
};
using cast_list = std::vector<cast_member>;

/// A fault but for its nodes.
struct scene_fault {
  std::string verb;
  cast_list nodes;
  cast_list others; ///< Of ways: their ends.
  bool both_ways = false;
  std::string rest; ///< As in fault.hpp.
};

/// Ends faults.
struct scene_healing {
  cast_list nodes;            ///< In which these have a part; empty: all faults.
  std::set<fault_kind> kinds; ///< Of these kinds; empty: of all.
};

struct scene_question {
  operation what = operation::command;
  std::uint64_t count = 1;
  cast_list nodes;
};

struct scene_naming {
  cast_member node;
  std::string name;
};

struct expectation {
  enum class subject : std::uint8_t {
    leader,     ///< Somebody leads with a majority in touch.
    no_leader,  ///< Nobody believes to lead.
    leader_is,  ///< `nodes` leads with a majority in touch.
    not_leader, ///< Somebody else does.
    same_leader,
    agreement, ///< All that are in touch with the leader follow it, and have applied all that is committed.
    operations,
    quantity,
    log,
    seen ///< `word` is a mark of coverage.hpp that was met.
  };
  enum class measure : std::uint8_t { term, commit, log_bytes };
  enum class outcome : std::uint8_t { committed, answered, refused, uncertain };
  enum class mode : std::uint8_t { now, within, throughout };

  subject what = subject::leader;
  mode when = mode::now;
  duration span{};
  cast_list nodes;
  std::optional<std::uint64_t> count; ///< Of operations; nothing: all.
  outcome end = outcome::committed;
  measure of = measure::term;
  std::string comparison; ///< `=`, `!=`, `<`, `<=`, `>` or `>=`.
  std::uint64_t value = 0;
  std::vector<term_number> terms; ///< Of a log's entries.
  bool and_more = false;          ///< The log may go on.
  std::string word;
};

/// One line of a story.
struct scene {
  std::size_t line = 0;
  std::string words;
  bool is_absolute = false; ///< `span` counts from the beginning of the run, and not from the end of the line before.
  duration span{};
  std::variant<scene_fault, scene_healing, scene_question, scene_naming, expectation> what;
};

struct scenario {
  std::string name;
  std::string about; ///< The comment it begins with.
  std::optional<std::uint64_t> seed;
  stage_knobs knobs;
  bool clients_ask = false; ///< Besides what the story asks.
  struct past {
    std::optional<term_number> term;
    std::vector<term_number> log;
  };
  std::map<peer_id, past> pasts;
  std::vector<scene> scenes; ///< What is to be repeated is here so many times.
};

/// What is wrong with a line.
struct scenario_error {
  std::string name;
  std::size_t line = 0; ///< From 1.
  std::string words;
};
[[nodiscard]] std::string to_string(const scenario_error& error);

[[nodiscard]] std::variant<scenario, scenario_error> parse_scenario(std::string_view text, std::string name);

/// Plays a story with a seed; an expectation that fails is a broken promise. Never throws for one.
[[nodiscard]] run_result play_scenario(const scenario& story, std::uint64_t seed, bool tells = false);

} // namespace troupe
