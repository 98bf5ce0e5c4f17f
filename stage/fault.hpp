/// \file
/// What goes wrong in a run, as data: a fault is a line of text, a plan a list of them, each with its own beginning and
/// end, so that any part of a plan is a plan too and can be played again.
#pragma once

#include "stage/packet_network.hpp"
#include "troupe/dice.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

enum class fault_kind : std::uint8_t {
  crash,     ///< `node` loses power, `amount` messages of any actor later; it starts again at the end.
  pause,     ///< All of `node` stands still: a stopped process, a virtual machine on the move.
  cut,       ///< The way from `node` to `other`, in one direction.
  isolate,   ///< All ways to and from `node`.
  split,     ///< All ways between `side` and the rest.
  network,   ///< All ways are as bad as `quality`.
  way,       ///< The way from `node` to `other` is as bad as `quality`.
  stall,     ///< No sync of `node`'s disk ends.
  fail_sync, ///< The next sync of `node`'s disk fails: the node ends itself, and starts again at the end.
  slow_disk, ///< Each takes up to `amount` microseconds.
  lie,       ///< `node`'s disk reports syncs and does none; at the end its power goes, and it starts a moment later.
  fill,      ///< `node`'s disk has room for `amount` bytes more.
  rot,       ///< `node` crashes, one bit of its files flips, and it starts again at the end.
  wipe,      ///< `node` crashes, its disk is replaced by an empty one, and it starts again at the end.
  back_up,   ///< A copy of `node`'s disk is put aside.
  put_back,  ///< `node` crashes, the copy takes the place of its disk, and it starts again at the end.
  slow_apply ///< `node`'s state machine stands still.
};

/// How long a fault lasts that somebody has to end.
inline constexpr auto for_good = duration::max();

struct fault {
  fault_kind what = fault_kind::crash;
  duration at{}; ///< Since the run began.
  duration lasts{};
  peer_id node;
  peer_id other;
  std::uint64_t amount = 0;
  std::vector<peer_id> side;
  way_quality quality;
};

/// In order of their beginnings.
using fault_plan = std::vector<fault>;

/// One line without its end, such as `at 1.25s crash 2 after 17 for 800ms`.
[[nodiscard]] std::string to_string(const fault& f);
/// A line each.
[[nodiscard]] std::string to_string(const fault_plan& plan);

/// The fault that a line describes, or what is wrong with the line.
[[nodiscard]] std::variant<fault, std::string> parse_fault(std::string_view line);

/// The plan in a file, a fault per line; empty lines and those that begin with # say nothing. Or what is wrong.
[[nodiscard]] std::variant<fault_plan, std::string> read_faults(const std::string& path);

/// `2`, `1.5s`, `20ms`, `300us` or `5m`; nothing for anything else. Without a unit: seconds.
[[nodiscard]] std::optional<duration> parse_span(std::string_view text);
/// The shortest exact one, such as `1.25s` or `300us`.
[[nodiscard]] std::string to_text(duration span);

[[nodiscard]] std::string_view name_of(fault_kind what);

/// Kinds by their names, or by the names of families: `all`, `none`, `network`, `processes`, `disks`; separated by
/// commas. Or what is wrong.
[[nodiscard]] std::variant<std::set<fault_kind>, std::string> parse_fault_kinds(std::string_view names);

/// Draws a plan for nodes 1 to `nodes`: about `per_second` faults a second until `end`. Faults that a node does not
/// come back from (its disk is wiped, rotten or old, or lies) befall a minority, always the same in one plan.
[[nodiscard]] fault_plan draw_plan(dice& chance, std::uint64_t nodes, duration end, double per_second,
                                   const std::set<fault_kind>& kinds);

} // namespace troupe
