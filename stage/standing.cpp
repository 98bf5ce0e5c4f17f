#include "stage/standing.hpp"

#include "stage/state_words.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

using row = std::array<std::string, 9>;

std::string text(log_index index) {
  return std::to_string(index.value());
}

row row_of(const node_standing& node) {
  const auto vote = node.vote.voted_for == nobody ? std::string{"-"} : std::to_string(node.vote.voted_for.value());
  return {"node " + std::to_string(node.node.value()),
          node.state + (node.vote.lost == 0 ? "" : ", no say"),
          std::to_string(node.vote.current_term.value()),
          vote,
          node.start.index == log_index{} ? "-" : in_words(node.start),
          in_words(node.written),
          in_words(node.durable),
          text(node.told_commit),
          text(node.applied)};
}

} // namespace

std::vector<std::string> to_table(const std::vector<node_standing>& all) {
  std::vector<row> rows{{"", "", "term", "vote", "snapshot", "log end", "durable", "told commit", "applied"}};
  for (const auto& node : all)
    rows.push_back(row_of(node));
  std::array<std::size_t, 9> widths{};
  for (const auto& cells : rows)
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], cells[i].size());
  std::vector<std::string> lines;
  for (const auto& cells : rows) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i)
      line += cells[i] + std::string(widths[i] - cells[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace troupe
