#include "persistence/disk_identity.hpp"

#include "persistence/errors.hpp"
#include "persistence/little_endian.hpp"

#include <algorithm>

namespace troupe {

void put_identity(char* at, const disk_identity& identity) {
  std::copy(identity.cluster.bytes.begin(), identity.cluster.bytes.end(), at);
  std::copy(identity.disk.bytes.begin(), identity.disk.bytes.end(), at + 16);
  put_le(at + 32, identity.node.value());
}

disk_identity get_identity(const char* at) {
  disk_identity identity;
  std::transform(at, at + 16, identity.cluster.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  std::transform(at + 16, at + 32, identity.disk.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  identity.node = peer_id{get_le<std::uint64_t>(at + 32)};
  return identity;
}

void require_same_owner(const std::string& file, const disk_identity& found, const disk_identity& wanted) {
  if (found.cluster != wanted.cluster)
    throw storage_error{file,
                        "belongs to cluster " + to_string(found.cluster) + ", not to " + to_string(wanted.cluster)
                            + "; was it copied here from another cluster?",
                        damage::none};
  if (found.node != wanted.node)
    throw storage_error{file,
                        "belongs to node " + std::to_string(found.node.value()) + ", not to node "
                            + std::to_string(wanted.node.value()) + "; was it copied here from another node?",
                        damage::none};
  if (found.disk != wanted.disk)
    throw storage_error{file,
                        "belongs to the disk " + to_string(found.disk) + ", not to " + to_string(wanted.disk)
                            + "; was it restored from another data directory?",
                        damage::none};
}

} // namespace troupe
