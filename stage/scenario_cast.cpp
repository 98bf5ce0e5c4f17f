// Who a line of a scenario speaks of.
#include "stage/scenario_parts.hpp"

#include <utility>

namespace troupe {

namespace {

/// Whether a number that comes next belongs to a role. The last number of what has a number itself does not.
bool is_count(const line_of_words& line, bool ends_with_number) {
  return parse_number(line.peek()) && (!ends_with_number || line.peek(1) == "," || parse_number(line.peek(1)));
}

} // namespace

cast_member read_member(line_of_words& line, const known_nodes& known, bool ends_with_number) {
  using kind = cast_member::kind;
  const auto has_count = [&] { return is_count(line, ends_with_number); };
  if (const auto number = parse_number(line.peek())) {
    if (*number == 0 || *number > known.count)
      wrong("there is no node " + std::to_string(*number) + ": there are 1 to " + std::to_string(known.count));
    line.next();
    return {kind::number, *number, {}};
  }
  for (const auto& [word, what] :
       {std::pair{"leader", kind::leader}, {"followers", kind::followers}, {"all", kind::all}})
    if (line.take(word))
      return {what, 0, {}};
  if (line.take("follower"))
    return {kind::follower, has_count() ? line.need_number("which follower", 1, known.count - 1) : 1, {}};
  if (line.take("any"))
    return {kind::any, has_count() ? line.need_number("how many nodes", 1, known.count) : 1, {}};
  if (known.names.contains(line.peek()))
    return {kind::called, 0, std::string{line.next()}};
  word_list all{"leader", "follower", "followers", "any", "all"};
  all.insert(all.end(), known.names.begin(), known.names.end());
  wrong("expected a node, found " + in_quotes(line.peek()) + "; a number, or " + choices(line.peek(), all));
}

cast_member need_node(line_of_words& line, const known_nodes& known) {
  auto member = read_member(line, known);
  using kind = cast_member::kind;
  if (member.what == kind::all || member.what == kind::followers || (member.what == kind::any && member.number > 1))
    wrong("expected one node, found several");
  return member;
}

cast_list need_nodes(line_of_words& line, const known_nodes& known, bool ends_with_number) {
  cast_list list{read_member(line, known, ends_with_number)};
  while (line.take(","))
    list.push_back(read_member(line, known, ends_with_number));
  return list;
}

} // namespace troupe
