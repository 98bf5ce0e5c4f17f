#include "app/options/unknown_name.hpp"

#include "app/options/nearest.hpp"

namespace troupe {

std::string instead_of(std::string_view typed, verb which, const spelling& spell,
                       const std::vector<std::string>& others) {
  auto known = others;
  for (const auto& each : settings_of(which))
    known.push_back(spell(each));
  for (const auto other : all_verbs)
    for (const auto& each : settings_of(other))
      if (spell(each) == typed)
        return "; it is a setting of troupe " + std::string{name_of(other)};
  const auto near = nearest(typed, known);
  return near && near->is_close ? "; did you mean " + near->name + "?" : "";
}

} // namespace troupe
