/// \file
/// What a start does about a log that is damaged, on a node that others can repair: it keeps what is good, says durably
/// that something was lost, and only then lets go of the rest.
///
/// In this order, each step durable before the next:
///
///   1. the loss is declared, in the vote of every group (`vote_file::declare_loss`);
///   2. the segment with the damage is copied aside, and from the damage on overwritten with zeros; one that the device
///      cannot read is replaced;
///   3. the hint says that the log ends there, and which segments behind that leave it;
///   4. these are renamed: set aside, too;
///   5. groups of whose log nothing is left that is one begin anew (new_beginning.hpp);
///   6. the hint says that the log was cut for this loss.
///
/// A loss that is declared and that the hint knows nothing of is unfinished: the next start does what is left of all
/// that, under the same number, for nobody was told of it. Once the hint knows it, it may have been told, and what is
/// bad from then on is another loss. What is missing never is one: nothing is renamed that the hint still counts.
#pragma once

#include "persistence/recovery.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// All of the log; or, if bits of it went bad, what is good. Changes nothing. Throws `storage_error` for what is no
/// damage of bits: what an operator can have done, and can undo; if bits went bad as well, it says both.
[[nodiscard]] recovered_log read_log_or_good_part(file_system& files, const std::string& directory,
                                                  const disk_identity& owner);

/// The number of a loss that is declared, and for which the log may not have been cut yet. 0: there is none.
[[nodiscard]] std::uint64_t unfinished_loss(const vote_file& votes, const std::optional<found_hint>& hint);

/// The same words, and that what is before the damage cannot be kept, for another reason.
[[nodiscard]] storage_error refusal(const storage_error& damaged, const storage_error& besides);

/// Steps 2 to 4 for the loss `lost.loss`, which is declared durably; notes in `lost` what it set aside. What is set
/// aside is called `damaged-N-...` (segment.hpp), N being the loss. A copy is made if there is room for it. Throws
/// `io_error`, without any harm, if there is none for a segment that must be replaced. After a crash at any instant
/// `read_log_or_good_part` reads a log that ends where this one does.
void cut_log(file_system& files, const std::string& directory, const recovered_log& log, hint_file& hint,
             lost_tail& lost);

/// What `report.lost` says, for the node's log, but for the reason: key=value.
[[nodiscard]] std::string lost_in_words(const recovery_report& report);

} // namespace troupe
