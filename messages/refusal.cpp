#include "troupe/client_messages.hpp"

namespace troupe {

std::string_view in_words(refusal why) {
  switch (why) {
  case refusal::no_leader: return "no leader is known: nothing was done, try again in a moment";
  case refusal::busy: return "too many operations are waiting: nothing was done, try again later";
  case refusal::too_large: return "larger than an entry may be: nothing was done";
  case refusal::uncertain: return "outcome unknown: it may have been carried out, may yet be, or may be lost";
  case refusal::not_ready: return "no quorum confirmed the read in time: it had no effect";
  case refusal::stopped: return "this node has stopped: nothing was done, try another";
  }
  return "refused: nothing was done";
}

} // namespace troupe
