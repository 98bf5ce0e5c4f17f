/// \file
/// What happened on the stage, in order: for hashes of runs, and for telling the story of one.
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// One thing that happened. Who only counts events sees them without words.
struct trace_event {
  enum class kind : std::uint8_t {
    sends = 1, ///< `node` sends message `message` to `other`.
    hears,     ///< `node` receives message `message`, which `other` sent. A duplicate is heard twice.
    loses,     ///< Message `message` from `node` to `other` is lost on its way, or finds nobody.
    starts,    ///< A life of `node` begins.
    crashes,   ///< It ends.
    rises,     ///< `node` becomes leader of `term`.
    commits,   ///< `node` is the first to commit up to an index.
    applies,   ///< `node` applies an entry, or installs a snapshot.
    logs,      ///< `node` writes a line to its log: what it has decided, and why. Only stories have these.
    writes,    ///< Something of `node` has become durable.
    asks,      ///< A client at `node` asks for something.
    tells,     ///< A client at `node` is told something.
    strikes,   ///< A fault, or its end; of one node, a way between two, or (`nobody`) of all.
    breaks,    ///< A promise is broken: the last event of a run.
  };

  duration at{}; ///< Since the run began.
  kind what = kind::sends;
  peer_id node;
  peer_id other;    ///< `nobody` where there is none.
  term_number term; ///< Of the message, the life or the leadership; 0 where there is none.
  /// Pairs a message's end with its beginning, and what a client is told with what it has asked; 0: nothing to pair.
  std::uint64_t message = 0;
  std::string words; ///< One line, without a line break.
};

} // namespace troupe
