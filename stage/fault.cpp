#include "stage/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <utility>

namespace troupe {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

struct kind_name {
  fault_kind what;
  std::string_view name;
  std::string_view family;
};

constexpr std::array kinds{
    kind_name{fault_kind::crash, "crash", "processes"},
    kind_name{fault_kind::pause, "pause", "processes"},
    kind_name{fault_kind::cut, "cut", "network"},
    kind_name{fault_kind::isolate, "isolate", "network"},
    kind_name{fault_kind::split, "split", "network"},
    kind_name{fault_kind::network, "network", "network"},
    kind_name{fault_kind::way, "way", "network"},
    kind_name{fault_kind::stall, "stall", "disks"},
    kind_name{fault_kind::fail_sync, "fail-sync", "disks"},
    kind_name{fault_kind::slow_disk, "slow-disk", "disks"},
    kind_name{fault_kind::fill, "fill", "disks"},
    kind_name{fault_kind::lie, "lie", "disks"},
    kind_name{fault_kind::rot, "rot", "disks"},
    kind_name{fault_kind::wipe, "wipe", "disks"},
    kind_name{fault_kind::back_up, "back-up", "disks"},
    kind_name{fault_kind::put_back, "put-back", "disks"},
    kind_name{fault_kind::slow_apply, "slow-apply", "processes"},
};

const kind_name& row_of(fault_kind what) {
  return *std::find_if(kinds.begin(), kinds.end(), [&](const kind_name& each) { return each.what == what; });
}

std::string text(peer_id id) {
  return std::to_string(id.value());
}

/// Words of a line, one by one.
class words {
public:
  explicit words(std::string_view line) : rest_{line} {}

  std::string_view next() {
    const auto begin = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    rest_.remove_prefix(begin);
    const auto word = rest_.substr(0, std::min(rest_.find_first_of(" \t"), rest_.size()));
    rest_.remove_prefix(word.size());
    return word;
  }
  [[nodiscard]] std::string_view peek() const {
    auto copy = *this;
    return copy.next();
  }
  /// Takes the next word if it is this one.
  bool take(std::string_view word) {
    if (peek() != word)
      return false;
    next();
    return true;
  }

private:
  std::string_view rest_;
};

std::optional<std::uint64_t> parse_number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_percent(std::string_view word) {
  if (!word.ends_with('%'))
    return std::nullopt;
  word.remove_suffix(1);
  const auto value = parse_number(word);
  return value && *value <= 100 ? value : std::nullopt;
}

/// What is missing or wrong in a line ends its reading.
struct bad_line {
  std::string why;
};

std::uint64_t need_number(words& line, std::string_view what) {
  const auto word = line.next();
  if (const auto value = parse_number(word))
    return *value;
  throw bad_line{"expected " + std::string{what} + ", found \"" + std::string{word} + '"'};
}

peer_id need_node(words& line) {
  const auto value = need_number(line, "the number of a node");
  if (value == 0)
    throw bad_line{"nodes are counted from 1"};
  return peer_id{value};
}

duration need_span(words& line, std::string_view what) {
  const auto word = line.next();
  if (const auto span = parse_span(word))
    return *span;
  throw bad_line{"expected " + std::string{what} + " such as 1.5s, 20ms or 300us, found \"" + std::string{word} + '"'};
}

void need(words& line, std::string_view word) {
  const auto found = line.next();
  if (found != word)
    throw bad_line{"expected \"" + std::string{word} + "\", found \"" + std::string{found} + '"'};
}

std::vector<peer_id> need_side(words& line) {
  std::vector<peer_id> side;
  auto list = line.next();
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto value = parse_number(list.substr(0, comma));
    if (!value || *value == 0)
      throw bad_line{"expected nodes such as 1,2, found \"" + std::string{list} + '"'};
    side.emplace_back(*value);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (side.empty())
    throw bad_line{"expected the nodes of one side, such as 1,2"};
  return side;
}

way_quality need_quality(words& line) {
  way_quality quality;
  const auto need_percent = [&] {
    const auto word = line.next();
    if (const auto value = parse_percent(word))
      return static_cast<unsigned>(*value);
    throw bad_line{"expected a share such as 10%, found \"" + std::string{word} + '"'};
  };
  while (true) {
    if (line.take("loss"))
      quality.loss_percent = need_percent();
    else if (line.take("duplicate"))
      quality.duplicate_percent = need_percent();
    else if (line.take("unordered"))
      quality.in_order = false;
    else if (line.take("rate"))
      quality.bytes_per_second = need_number(line, "bytes per second");
    else if (line.take("delay")) {
      const auto range = line.next();
      const auto dots = range.find("..");
      const auto least = parse_span(range.substr(0, std::min(dots, range.size())));
      const auto most = dots == range.npos ? least : parse_span(range.substr(dots + 2));
      if (!least || !most || *most < *least)
        throw bad_line{"expected a delay such as 0ms..50ms, found \"" + std::string{range} + '"'};
      quality.least_delay = *least;
      quality.most_delay = *most;
    } else {
      return quality;
    }
  }
}

std::string in_words(const way_quality& quality) {
  std::string line;
  if (quality.loss_percent > 0)
    line += " loss " + std::to_string(quality.loss_percent) + '%';
  if (quality.duplicate_percent > 0)
    line += " duplicate " + std::to_string(quality.duplicate_percent) + '%';
  line += " delay " + to_text(quality.least_delay) + ".." + to_text(quality.most_delay);
  if (!quality.in_order)
    line += " unordered";
  if (quality.bytes_per_second > 0)
    line += " rate " + std::to_string(quality.bytes_per_second);
  return line;
}

fault read_fault(words line) {
  fault f;
  need(line, "at");
  f.at = need_span(line, "a time");
  const auto verb = line.next();
  const auto row = std::find_if(kinds.begin(), kinds.end(), [&](const kind_name& each) { return each.name == verb; });
  if (row == kinds.end())
    throw bad_line{"there is no fault called \"" + std::string{verb} + '"'};
  f.what = row->what;
  switch (f.what) {
  case fault_kind::crash:
    f.node = need_node(line);
    if (line.take("after"))
      f.amount = need_number(line, "a number of messages");
    break;
  case fault_kind::cut:
  case fault_kind::way:
    f.node = need_node(line);
    need(line, "->");
    f.other = need_node(line);
    if (f.what == fault_kind::way)
      f.quality = need_quality(line);
    break;
  case fault_kind::split: f.side = need_side(line); break;
  case fault_kind::network: f.quality = need_quality(line); break;
  case fault_kind::slow_disk:
    f.node = need_node(line);
    f.amount = static_cast<std::uint64_t>(
        std::chrono::duration_cast<microseconds>(need_span(line, "a time per sync")).count());
    break;
  case fault_kind::fill:
    f.node = need_node(line);
    f.amount = need_number(line, "bytes that are left");
    break;
  default: f.node = need_node(line); break;
  }
  if (line.take("for"))
    f.lasts = line.take("good") ? for_good : need_span(line, "a time");
  if (const auto more = line.next(); !more.empty())
    throw bad_line{"nothing was expected behind it, found \"" + std::string{more} + '"'};
  return f;
}

} // namespace

std::optional<duration> parse_span(std::string_view text) {
  const auto unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto digits = text.substr(0, unit_at);
  const auto unit = text.substr(unit_at);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value > 1e9)
    return std::nullopt;
  const auto in = [&](double nanoseconds_each) { return duration{std::llround(value * nanoseconds_each)}; };
  if (unit == "s" || unit.empty())
    return in(1e9);
  if (unit == "ms")
    return in(1e6);
  if (unit == "us")
    return in(1e3);
  if (unit == "ns")
    return in(1);
  if (unit == "m")
    return in(60e9);
  if (unit == "h")
    return in(3600e9);
  return std::nullopt;
}

std::string to_text(duration span) {
  const auto count = std::chrono::duration_cast<nanoseconds>(span).count();
  const auto in = [&](std::int64_t each, const char* unit) {
    auto text = std::to_string(count / each);
    if (auto rest = std::to_string(each + count % each).substr(1); count % each != 0) {
      rest.erase(rest.find_last_not_of('0') + 1);
      text += '.' + rest;
    }
    return text + unit;
  };
  if (count == 0)
    return "0s";
  if (count >= 1'000'000'000)
    return in(1'000'000'000, "s");
  if (count >= 1'000'000)
    return in(1'000'000, "ms");
  return count % 1000 == 0 ? in(1000, "us") : in(1, "ns");
}

std::string_view name_of(fault_kind what) {
  return row_of(what).name;
}

std::string to_string(const fault& f) {
  auto line = "at " + to_text(f.at) + ' ' + std::string{name_of(f.what)};
  switch (f.what) {
  case fault_kind::crash:
    line += ' ' + text(f.node) + (f.amount > 0 ? " after " + std::to_string(f.amount) : "");
    break;
  case fault_kind::cut: line += ' ' + text(f.node) + " -> " + text(f.other); break;
  case fault_kind::way: line += ' ' + text(f.node) + " -> " + text(f.other) + in_words(f.quality); break;
  case fault_kind::network: line += in_words(f.quality); break;
  case fault_kind::split: {
    std::string side;
    for (const auto id : f.side)
      side += (side.empty() ? "" : ",") + text(id);
    line += ' ' + side;
    break;
  }
  case fault_kind::slow_disk:
    line += ' ' + text(f.node) + ' ' + to_text(microseconds{static_cast<std::int64_t>(f.amount)});
    break;
  case fault_kind::fill: line += ' ' + text(f.node) + ' ' + std::to_string(f.amount); break;
  default: line += ' ' + text(f.node); break;
  }
  if (f.lasts == for_good)
    return line + " for good";
  return f.lasts > duration::zero() ? line + " for " + to_text(f.lasts) : line;
}

std::string to_string(const fault_plan& plan) {
  std::string lines;
  for (const auto& f : plan)
    lines += to_string(f) + '\n';
  return lines;
}

std::variant<fault, std::string> parse_fault(std::string_view line) {
  try {
    return read_fault(words{line});
  } catch (const bad_line& failure) {
    return failure.why;
  }
}

std::variant<fault_plan, std::string> read_faults(const std::string& path) {
  std::ifstream file{path};
  if (!file)
    return "cannot read the plan " + path;
  fault_plan plan;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#')
      continue;
    auto parsed = parse_fault(line);
    if (const auto* words = std::get_if<std::string>(&parsed))
      return path + ", line " + std::to_string(number) + ": " + *words;
    plan.push_back(std::get<fault>(std::move(parsed)));
  }
  return plan;
}

std::variant<std::set<fault_kind>, std::string> parse_fault_kinds(std::string_view names) {
  std::set<fault_kind> chosen;
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    const auto name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    bool known = name == "none";
    for (const auto& each : kinds)
      // A family goes before a kind of the same name.
      if (name == "all" || name == each.family || name == each.name) {
        chosen.insert(each.what);
        known = true;
      }
    if (!known) {
      std::string all;
      for (const auto& each : kinds)
        all += ", " + std::string{each.name};
      return "there are no faults called \"" + std::string{name} + "\"; there are: all, none, network, processes, disks"
          + all;
    }
  }
  return chosen;
}

} // namespace troupe
