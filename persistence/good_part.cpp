// What is good of a log that is damaged. See recovery.hpp.
#include "persistence/log_reader.hpp"

#include <utility>

namespace troupe {

recovered_log log_reader::read_good_part(const std::string& why) {
  log_.hint = find_hint(files_, directory_, owner_);
  if (!log_.hint)
    throw storage_error{hint_path(directory_), "missing. " + keep_the_directory};
  const auto first = log_.hint->says.first_segment;
  lost_tail lost{why, {}};
  auto number = first;
  bool is_good = true;
  for (; is_good && files_.exists(path_of(number)); ++number) {
    try {
      const auto path = path_of(number);
      const auto bytes = read_segment(number, path);
      if (const auto bad = walk(path, bytes))
        is_good = is_followed();
    } catch (const storage_error&) {
      if (number == first)
        throw;
      is_good = false;
    }
  }
  if (!log_.end)
    throw storage_error{path_of(first), "missing. " + keep_the_directory};
  require_beginnings(path_of(first));
  for (const auto& name : files_.list(directory_)) {
    const auto other = segment_number(name);
    if (other && *other > log_.end->segment.number)
      lost.segments.push_back(*other);
    else if ((other && *other < first) || is_leftover(name))
      log_.report.removed.push_back(name);
  }
  log_.report.lost = std::move(lost);
  log_.report.healed_hints = log_.hint->bad_copies;
  return std::move(log_);
}

} // namespace troupe
