#include "persistence/recovery.hpp"

#include "persistence/log_reader.hpp"

namespace troupe {

recovered_log read_log(file_system& files, const std::string& directory, const disk_identity& owner) {
  return log_reader{files, directory, owner}.read();
}

recovered_log read_good_part(file_system& files, const std::string& directory, const disk_identity& owner,
                             const std::string& why) {
  return log_reader{files, directory, owner}.read_good_part(why);
}

void set_aside_lost(file_system& files, const std::string& directory, const recovered_log& log, std::uint64_t number) {
  const auto aside = [&](std::uint32_t segment) {
    return directory + "/damaged-" + std::to_string(number) + "-" + segment_name(segment);
  };
  for (const auto segment : log.report.lost->segments)
    files.rename(directory + "/" + segment_name(segment), aside(segment));
  const auto& end = *log.end;
  const auto path = directory + "/" + segment_name(end.segment.number);
  const auto bytes = read_whole(files, path);
  const auto used = bytes.find_last_not_of('\0') + 1;
  if (used > end.offset) {
    try {
      replace_durably(files, aside(end.segment.number), bytes);
    } catch (const io_error& failure) {
      if (!failure.is_lack_of_room())
        throw;
    }
    const auto target = files.open(path, open_mode::update);
    target->write_at(end.offset, std::string(used - end.offset, '\0'));
    target->sync_data();
  }
  files.sync_directory(directory);
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
