/// \file
/// What kill -9 cannot show: writes that were not synced survive a process, but not a power failure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace troupe {

/// What a power failure took.
struct power_loss {
  std::uint64_t writes = 0;  ///< Writes not synced, wholly or in part.
  std::uint64_t sectors = 0; ///< What they wrote, in sectors.
  std::uint64_t lost = 0;    ///< Those of them that are as they were before.

  power_loss& operator+=(const power_loss& other);
};

/// Brings back, in the files of a node that has been killed, what they held before writes that it had not synced.
/// `survives` is asked for every sector of 512 bytes of every such write, newest first: a sector that does keeps what
/// was written last, unlike one that does not. Names and lengths of files are not lost: those the simulated disk of the
/// stage takes. Notes are in `journals`, see disk_faults.hpp; afterwards there are none.
[[nodiscard]] power_loss lose_power(const std::string& data_directory, const std::string& journals,
                                    const std::function<bool()>& survives);

} // namespace troupe
