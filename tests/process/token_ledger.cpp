#include "tests/process/token_ledger.hpp"

#include <charconv>

namespace troupe {

namespace {

// More of them say no more.
constexpr std::size_t most_complaints = 5;

constexpr auto nowhere = ~std::uint64_t{0};

std::string name(std::uint64_t token) {
  return "token " + std::to_string(token);
}

} // namespace

std::optional<std::vector<found_token>> parse_tokens(std::string_view text) {
  std::vector<found_token> found;
  for (std::size_t at = 0; at < text.size();) {
    found_token next;
    const auto* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data() + at, end, next.token);
    if (number.ec != std::errc{} || number.ptr == end || *number.ptr != ',')
      return std::nullopt;
    at = static_cast<std::size_t>(number.ptr - text.data()) + 1;
    next.end = at;
    found.push_back(next);
  }
  return found;
}

std::uint64_t token_ledger::asks() {
  lines_.push_back({fate::unknown, std::nullopt, known_});
  return lines_.size() - 1;
}

void token_ledger::is_acknowledged(std::uint64_t token, std::optional<std::uint64_t> end) {
  lines_.at(token).what = fate::acknowledged;
  lines_[token].end = end;
  ++acknowledged_;
  known_ = token + 1;
}

void token_ledger::is_refused(std::uint64_t token) {
  lines_.at(token).what = fate::refused;
  ++refused_;
}

std::vector<std::string> token_ledger::judge(const std::vector<found_token>& found) const {
  std::vector<std::string> wrong;
  std::vector<std::uint64_t> place(lines_.size(), nowhere);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [token, end] = found[i];
    if (token >= lines_.size()) {
      wrong.push_back(name(token) + " is there and was never written");
      continue;
    }
    const auto& own = lines_[token];
    if (place[token] != nowhere)
      wrong.push_back(name(token) + " is there twice");
    else if (own.what == fate::refused)
      wrong.push_back(name(token) + " is there and was refused as certainly not carried out");
    else if (own.end && *own.end != end)
      wrong.push_back(name(token) + " ends at byte " + std::to_string(end) + ", its answer said "
                      + std::to_string(*own.end));
    place[token] = i;
  }
  // The last acknowledged token so far in the order of writing: its successors must not stand before it.
  std::uint64_t last = nowhere;
  std::uint64_t below = 0;
  for (std::uint64_t token = 0; token < lines_.size() && wrong.size() < most_complaints; ++token) {
    const auto& own = lines_[token];
    for (; below < own.known_before; ++below)
      if (lines_[below].what == fate::acknowledged && place[below] != nowhere
          && (last == nowhere || place[below] > place[last]))
        last = below;
    if (own.what == fate::acknowledged && place[token] == nowhere)
      wrong.push_back(name(token) + " was acknowledged and is lost");
    else if (place[token] != nowhere && last != nowhere && place[token] < place[last])
      wrong.push_back(name(token) + " was written after " + name(last) + " was acknowledged and stands before it");
  }
  if (wrong.size() > most_complaints)
    wrong.resize(most_complaints);
  return wrong;
}

} // namespace troupe
