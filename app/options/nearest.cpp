#include "app/options/nearest.hpp"

#include <algorithm>

namespace troupe {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table of distances between all beginnings of `a` and of `b`: a swap looks two rows back.
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<near_name> nearest(std::string_view typed, const std::vector<std::string>& known) {
  std::optional<near_name> best;
  for (const auto& name : known)
    if (const auto distance = edit_distance(typed, name); !best || distance < best->distance)
      best = near_name{name, distance, distance <= std::max<std::size_t>(1, typed.size() / 4)};
  return best;
}

} // namespace troupe
