/// \file
/// Troupe's own store, for peers made with the bare interface.
#pragma once

#include "troupe/storage.hpp"
#include "troupe/types.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Whose the log is. It is opened only for the same cluster, node and members again.
struct durable_log_owner {
  std::string cluster = "troupe";
  peer_id node;
  std::vector<peer_id> members; ///< Sorted; names `node`.
};

/// Opens a data directory on the local file system, making it on first use: an append-only log of segments with
/// checksums, one fdatasync per group of writes, for any number of groups. The directory stays locked for as long as
/// the store lives. Throws `std::runtime_error`, with what is there, what was asked for and what to do, if the
/// directory is in use, another's, damaged, or cannot be read.
[[nodiscard]] std::shared_ptr<storage> open_durable_log(std::string directory, const durable_log_owner& owner,
                                                        std::size_t segment_bytes = std::size_t{64} << 20);

} // namespace troupe
