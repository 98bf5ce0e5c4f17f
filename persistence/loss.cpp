#include "persistence/loss.hpp"

#include "persistence/readable_part.hpp"

#include <utility>

namespace troupe {

namespace {

/// Does what a start cannot do without, at the expense of the reserve. The log finds out that it is gone.
template <class Work>
void with_reserve(file_system& files, const std::string& directory, Work work) {
  try {
    work();
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room() || !files.exists(reserve_path(directory)))
      throw;
    files.remove(reserve_path(directory));
    files.sync_directory(directory);
    work();
  }
}

/// Cuts a log at its end.
class cutter {
public:
  cutter(file_system& files, std::string directory, const log_end& end, lost_tail& lost)
      : files_{files}, directory_{std::move(directory)}, end_{end},
        path_{directory_ + "/" + segment_name(end.segment.number)}, lost_{lost} {}

  /// What is behind the end in the segment where it is.
  void cut_segment() {
    if (!files_.exists(path_)) { // A crash came between two names.
      files_.rename(draft_of(path_), path_);
      return files_.sync_directory(directory_);
    }
    const auto part = read_readable(files_, path_);
    if (part.unreadable_at)
      return replace(part);
    const auto used = part.bytes.find_last_not_of('\0') + 1;
    if (used <= end_.offset)
      return;
    copy(part.bytes);
    const auto target = files_.open(path_, open_mode::update);
    target->write_at(end_.offset, std::string(used - end_.offset, '\0'));
    target->sync_data();
  }

  void set_aside(const std::vector<std::uint32_t>& segments) {
    for (const auto number : segments)
      files_.rename(directory_ + "/" + segment_name(number), aside(number));
    files_.sync_directory(directory_);
  }

private:
  [[nodiscard]] std::string aside(std::uint32_t number) const {
    return directory_ + "/" + damaged_name(lost_.loss, number);
  }

  void copy(const std::string& bytes) {
    const auto to = aside(end_.segment.number);
    if (files_.exists(to)) // Of before an earlier start began to overwrite.
      return;
    try {
      replace_durably(files_, to, bytes);
    } catch (const io_error& failure) {
      if (!failure.is_lack_of_room())
        throw;
      lost_.lacks_copy = true;
    }
  }

  /// Nothing is written to a file whose sectors went bad: it is kept, with these, and what is good of it written anew.
  void replace(const readable_part& part) {
    const auto draft = draft_of(path_);
    with_reserve(files_, directory_, [&] {
      const auto target = files_.open(draft, open_mode::create);
      target->allocate(end_.segment.size_bytes);
      target->write_at(0, std::string_view{part.bytes}.substr(0, end_.offset));
      target->sync_data();
    });
    files_.sync_directory(directory_); // Between the two names to come it is all there is.
    files_.rename(path_, aside(end_.segment.number));
    files_.rename(draft, path_);
    files_.sync_directory(directory_);
  }

  file_system& files_;
  std::string directory_;
  log_end end_;
  std::string path_;
  lost_tail& lost_;
};

recovered_log read_what_is_good(file_system& files, const std::string& directory, const disk_identity& owner,
                                const storage_error& damaged) {
  try {
    const vote_file votes{files, directory, owner, false};
    const auto is_unfinished = unfinished_loss(votes, find_hint(files, directory, owner)) != 0;
    if (is_unfinished || damaged.records())
      return read_good_part(files, directory, owner, damaged, is_unfinished);
  } catch (const storage_error& besides) {
    throw refusal(damaged, besides);
  }
  throw damaged;
}

} // namespace

recovered_log read_log_or_good_part(file_system& files, const std::string& directory, const disk_identity& owner) {
  try {
    return read_log(files, directory, owner);
  } catch (const storage_error& damaged) {
    if (damaged.kind() == damage::none)
      throw;
    return read_what_is_good(files, directory, owner, damaged);
  }
}

std::uint64_t unfinished_loss(const vote_file& votes, const std::optional<found_hint>& hint) {
  const auto newest = votes.newest_loss();
  return hint && newest > hint->says.cut_for && votes.have_all_lost(newest) ? newest : 0;
}

storage_error refusal(const storage_error& damaged, const storage_error& besides) {
  if (besides.kind() == damage::none)
    return {besides.file(), besides.offset(), besides.reason() + "; besides, " + damaged.what(), damage::none};
  return {damaged.file(), damaged.offset(),
          damaged.reason() + "; and what is before that cannot be kept: " + besides.what(), damaged.kind(),
          damaged.records()};
}

void cut_log(file_system& files, const std::string& directory, const recovered_log& log, hint_file& hint,
             lost_tail& lost) {
  cutter cutting{files, directory, *log.end, lost};
  cutting.cut_segment();
  if (!log.leaving.empty()) {
    const auto& before = log.hint->says;
    hint.note_twice({log.end->next_lsn - 1, before.first_segment, log.end->segment.number, before.cut_for,
                     std::max(before.leaving, log.leaving.back())});
    hint.sync();
    cutting.set_aside(log.leaving);
  }
  for (const auto& name : files.list(directory))
    if (is_damaged_for(name, lost.loss))
      lost.set_aside.push_back(name);
}

std::string lost_in_words(const recovery_report& report) {
  const auto& lost = *report.lost;
  auto words = "loss=" + std::to_string(lost.loss) + " file=" + lost.cause.file();
  if (const auto offset = lost.cause.offset())
    words += " offset=" + std::to_string(*offset);
  if (const auto& records = lost.cause.records())
    words += " first_lsn=" + std::to_string(records->first) + " last_lsn=" + std::to_string(records->last);
  words += " set_aside=";
  for (const auto& name : lost.set_aside)
    words += (name == lost.set_aside.front() ? "" : ",") + name;
  words += lost.set_aside.empty() ? "none" : "";
  words += lost.lacks_copy ? " copy=none" : "";
  for (const auto& [group, before] : report.begun_anew)
    words += " group=" + std::to_string(group.value()) + " begins_behind=" + std::to_string(before.value());
  return words;
}

} // namespace troupe
