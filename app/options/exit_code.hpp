/// \file
/// How the program ends, in numbers that scripts may rely on. `troupe --help` prints the same table.
#pragma once

namespace troupe {

enum class exit_code : int {
  ok = 0,
  failed = 1,      ///< It did not work; the last line on stderr says what.
  usage = 2,       ///< A flag, variable or file is wrong; nothing was started.
  no_leader = 3,   ///< The node answers, but knows no leader.
  unreachable = 4, ///< Nobody answers at that address, or there is no quorum.
  bad_data = 5,    ///< The data directory is damaged, in use, or belongs to another node or cluster.
};

} // namespace troupe
