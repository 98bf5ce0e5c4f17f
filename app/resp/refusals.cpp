#include "app/resp/refusals.hpp"

namespace troupe::resp {

std::string_view refusal_text(refusal why, bool is_write) {
  switch (why) {
  case refusal::no_leader: return "CLUSTERDOWN no leader is known; nothing was done, try again in a moment";
  case refusal::busy:
    return "BUSY too many operations are waiting, or disks are full; nothing was done, try again later";
  case refusal::too_large: return "ERR command is larger than an entry may be; nothing was done";
  case refusal::uncertain:
    return is_write ? "UNCERTAIN the outcome is not known: the write may have been carried out, may yet be, or may be "
                      "lost; read before you write again"
                    : "CLUSTERDOWN the leader was lost before it answered; the read had no effect, try again";
  case refusal::not_ready: return "CLUSTERDOWN no quorum confirmed the read in time; it had no effect, try again";
  case refusal::stopped: return "CLUSTERDOWN this node is stopping; nothing was done, try another node";
  }
  return "ERR refused; nothing was done";
}

} // namespace troupe::resp
