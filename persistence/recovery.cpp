#include "persistence/recovery.hpp"

#include "persistence/log_reader.hpp"

namespace troupe {

recovered_log read_log(file_system& files, const std::string& directory, const disk_identity& owner) {
  return log_reader{files, directory, owner}.read();
}

recovered_log read_good_part(file_system& files, const std::string& directory, const disk_identity& owner,
                             const storage_error& cause, bool may_be_draft) {
  return log_reader{files, directory, owner}.read_good_part(cause, may_be_draft);
}

std::uint64_t count_good_records(file_system& files, const std::string& directory, const disk_identity& owner) {
  return log_reader{files, directory, owner}.count_good();
}

void repair_log(file_system& files, const std::string& directory, const recovered_log& log) {
  if (const auto& cut = log.report.cut) {
    const auto target = files.open(cut->file, open_mode::update);
    target->write_at(cut->offset, std::string(cut->bytes, '\0'));
    target->sync_data();
  }
  for (const auto& name : log.report.removed)
    if (const auto path = directory + "/" + name; files.exists(path)) // It may have been made anew, and finished.
      files.remove(path);
}

void require_remembered_terms(const std::string& directory, const std::unordered_map<group_id, group_log>& groups,
                              const vote_file& votes) {
  for (const auto& [group, log] : groups)
    if (log.last_term() > votes.of(group).current_term)
      throw storage_error{directory + "/votes",
                          "damaged: group " + std::to_string(group.value()) + " is said to be in term "
                              + std::to_string(votes.of(group).current_term.value())
                              + ", but its log has an entry of term " + std::to_string(log.last_term().value())
                              + ". A vote may be lost. " + keep_the_directory};
}

} // namespace troupe
