// What is good of a log that is damaged. See recovery.hpp.
#include "persistence/log_reader.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

/// Where the segment lies. Throws if it is not there.
std::string log_reader::find_segment(std::uint32_t number, bool may_be_draft) const {
  if (const auto path = path_of(number); files_.exists(path))
    return path;
  if (const auto draft = draft_of(path_of(number)); may_be_draft && files_.exists(draft))
    return draft;
  throw damage_at(path_of(number), {}, "missing");
}

/// Takes what is good of a segment; false if the log cannot go on behind that.
bool log_reader::take_good(std::uint32_t number, const std::string& path) {
  const auto part = read_readable(files_, path);
  const auto header = find_header(number, path, part);
  if (!header && !log_.end)
    throw damage_at(path, 0, "damaged: it is the first segment, and its header is not whole");
  if (!header || (log_.end && !is_continued_by(*header)))
    return false;
  enter(*header);
  return !walk(path, part) || is_followed();
}

recovered_log log_reader::read_good_part(const storage_error& cause, bool may_be_draft) {
  log_.hint = find_hint(files_, directory_, owner_);
  if (!log_.hint)
    throw damage_at(hint_path(directory_), {}, "missing");
  const auto hint = log_.hint->says;
  const auto is_leaving = [&](std::uint32_t number) { return number > hint.last_segment && number <= hint.leaving; };
  auto last = std::max(hint.first_segment, hint.last_segment);
  const auto names = files_.list(directory_);
  for (const auto& name : names)
    if (const auto number = segment_number(name); number && !is_leaving(*number))
      last = std::max(last, *number);
  std::vector<std::string> segments;
  for (auto number = hint.first_segment; number <= last; ++number)
    segments.push_back(find_segment(number, may_be_draft));
  auto number = hint.first_segment;
  while (number <= last && take_good(number, segments[number - hint.first_segment]))
    ++number;

  log_.report.lost.emplace(cause);
  for (auto& [id, group] : log_.groups)
    if (!group.complete())
      log_.report.lost->without_beginning.push_back(id);
  for (const auto& name : names) {
    const auto other = segment_number(name);
    if (other && *other > log_.end->segment.number) {
      // Not for its sake: nothing of another's, of a newer program's or with a wrong name is taken for damage.
      const auto path = path_of(*other);
      if (!is_leaving(*other))
        static_cast<void>(find_header(*other, path, read_readable(files_, path, segment_header_bytes)));
      log_.leaving.push_back(*other);
    } else if ((other && *other < hint.first_segment)
               || (is_leftover(name) && std::count(segments.begin(), segments.end(), directory_ + "/" + name) == 0)) {
      log_.report.removed.push_back(name);
    }
  }
  log_.report.healed_hints = log_.hint->bad_copies;
  return std::move(log_);
}

} // namespace troupe
