/// \file
/// Prints what lies in a node's data directory, record by record, without touching it. Takes no lock and writes
/// nothing, so it works on damaged directories, and beside a running node.
#pragma once

#include "persistence/file_system.hpp"

#include <iosfwd>
#include <string>

namespace troupe {

/// Prints a line for each record of the log, believed or not, for each group's vote, for the hint and for each
/// snapshot, as far as any of it can be read; goes on behind damage. Returns whether none was met. Throws `io_error` if
/// this user may not read it.
bool dump_log(file_system& files, const std::string& data_directory, std::ostream& out);

} // namespace troupe
