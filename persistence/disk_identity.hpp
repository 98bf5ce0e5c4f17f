/// \file
/// Whose file is this? Every file header answers in the same 40 bytes.
///
///     u128 cluster | u128 disk | u64 node        (uuids byte by byte, the number little-endian)
#pragma once

#include "troupe/types.hpp"
#include "troupe/uuid.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// The owner of a file.
struct disk_identity {
  /// See `uuid_of_name`.
  uuid cluster;
  /// Minted when the data directory was first used.
  uuid disk;
  peer_id node;

  friend bool operator==(const disk_identity&, const disk_identity&) = default;
};

inline constexpr std::size_t disk_identity_bytes = 40;

void put_identity(char* at, const disk_identity& identity);
[[nodiscard]] disk_identity get_identity(const char* at);

/// Throws `storage_error`, naming what differs, unless the owners are the same.
void require_same_owner(const std::string& file, const disk_identity& found, const disk_identity& wanted);

} // namespace troupe
