/// \file
/// What the events of a run say together: which ends belong to which message, what a message is about, who lived, led
/// and knew which term when. The story and the diagram of a run are both told from this.
#pragma once

#include "stage/trace.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The number of an event in its trace.
using event_number = std::size_t;

inline constexpr event_number no_event = static_cast<event_number>(-1);

/// What a message is about, by its words (stage/transcript.hpp).
enum class topic : std::uint8_t {
  heartbeats, ///< AppendEntries with no entries and nothing new, and what answers it with nothing new.
  entries,    ///< Other AppendEntries, and their answers.
  votes,      ///< Votes and pre-votes, asked for and given, and the word to run.
  snapshots,
  forwards,
  others,
};

/// Where a message ended.
struct passage_end {
  event_number at = no_event;
  std::string note; ///< What its event says beyond the message's words.
};

/// One message, from its sending to its ends.
struct passage {
  event_number sent = no_event;   ///< `no_event` if the trace begins later.
  std::vector<passage_end> heard; ///< More than one for a duplicate, none for a message lost or still on its way.
  std::vector<passage_end> lost;
  topic about = topic::others;
  peer_id from;
  peer_id to;
  term_number term;
  std::string words;              ///< Without what is said by `from`, `to` and `term`; printable.
  std::size_t answer = no_event;  ///< Of a request that was answered: the passage of the answer.
  std::size_t answers = no_event; ///< Of an answer: the passage of the request.
};

/// One life of a node.
struct node_life {
  peer_id node;
  event_number begins = no_event; ///< `no_event` for a node that lived before the trace began.
  event_number ends = no_event;   ///< `no_event` for a life that lasts.
};

/// From some event on a node is known to be in a term.
struct node_term {
  peer_id node;
  event_number from = 0;
  term_number term;
};

/// One leadership.
struct node_leadership {
  peer_id node;
  term_number term;
  event_number rises = 0;
  /// The last message it sent as a leader. A leader may step down without a word: nothing later is certain.
  event_number last_sign = 0;
  event_number ends = no_event; ///< It crashes, or is seen in a higher term; `no_event` if neither.
};

struct reading {
  std::vector<peer_id> nodes; ///< All that are named, in order of their ids; `nobody` is not among them.
  std::vector<passage> passages;
  std::vector<std::size_t> passage_of; ///< By event: its message's passage; `no_event` for what is no message.
  std::map<event_number, event_number> questions; ///< By the event that tells a client its answer: what it had asked.
  std::vector<node_life> lives;
  std::vector<node_term> terms;
  std::vector<node_leadership> leaderships;
  event_number violation = no_event; ///< The last broken promise.
};

/// Reads a whole trace. Takes any trace: one that begins late, or whose messages have no ends.
[[nodiscard]] reading read(const std::vector<trace_event>& trace);

/// Makes words fit for a line of a terminal or a page: valid UTF-8, without control characters, line breaks or
/// characters that change the direction of writing. What is not fit is shown as `\x1b` or `\u{202e}`.
[[nodiscard]] std::string printable(std::string_view words);

/// A span in milliseconds, with as many digits as it needs, three at most: `3.2`.
[[nodiscard]] std::string in_milliseconds(duration span);

} // namespace troupe
