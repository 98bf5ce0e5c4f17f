// The command line behind the verb. Read by hand: a parser that stops at the first fault, in words of its own, cannot
// tell all that is wrong at once, nor what was meant.
#include "app/options/shown.hpp"
#include "app/options/sources.hpp"
#include "app/options/unknown_name.hpp"

#include <algorithm>

namespace troupe {

namespace {

const std::vector<std::string> flags_beside{"--config", "--print-config", "--help", "-h"};

/// Walks the arguments of one verb.
class flag_reader {
public:
  flag_reader(verb which, const std::vector<std::string>& arguments) : which_{which}, arguments_{arguments} {}

  collected_flags read() {
    while (at_ < arguments_.size())
      take(arguments_[at_++]);
    return std::move(result_);
  }

private:
  void take(const std::string& word) {
    const auto equals = word.find('=');
    const auto flag = word.substr(0, equals);
    if (flag.size() < 2 || flag.front() != '-')
      return complain(shown(word) + " is no flag; every value stands behind its flag, as in --timeout 2s");
    const auto attached = equals == std::string::npos ? std::nullopt : std::optional{word.substr(equals + 1)};
    if (flag == "--help" || flag == "-h")
      return switch_on(flag, attached, result_.help);
    if (flag == "--print-config")
      return switch_on(flag, attached, result_.print_config);
    if (flag == "--config")
      return take_config(attached);
    const auto known = settings_of(which_);
    const auto found = std::find_if(known.begin(), known.end(), [&](const setting& s) { return s.flag() == flag; });
    if (found != known.end())
      return take_setting(*found, attached);
    complain(in_plain(flag) + ": no such flag"
             + instead_of(
                 flag, which_, [](const setting& each) { return each.flag(); }, flags_beside));
    if (!attached && is_value_next())
      ++at_; // Of the flag that does not exist: one fault, not two.
  }

  void take_setting(const setting& of, const std::optional<std::string>& attached) {
    const auto value = of.form == setting::shape::toggle ? attached.value_or("true") : value_of(attached);
    if (!value)
      return complain(of.flag() + ": has no value; give " + of.flag() + " " + of.value_name
                      + "; accepted: " + of.accepted);
    const auto [first, is_new] = result_.values.emplace(of.name, *value);
    if (!is_new)
      complain(of.flag() + ": given twice, as " + shown(first->second) + " and as " + shown(*value) + "; give it once");
  }

  void take_config(const std::optional<std::string>& attached) {
    const auto path = value_of(attached);
    if (!path || path->empty())
      complain("--config: has no value; give --config FILE, a TOML file with settings");
    else if (!result_.config.empty())
      complain("--config: given twice, as " + shown(result_.config) + " and as " + shown(*path)
               + "; settings come from one file");
    else
      result_.config = *path;
  }

  void switch_on(const std::string& flag, const std::optional<std::string>& attached, bool& target) {
    if (attached)
      complain(flag + ": takes no value, and got " + shown(*attached));
    target = true;
  }

  // A value may begin with a single '-', as a number below zero does; what begins with two is the next flag.
  [[nodiscard]] bool is_value_next() const { return at_ < arguments_.size() && !arguments_[at_].starts_with("--"); }

  std::optional<std::string> value_of(const std::optional<std::string>& attached) {
    if (attached || !is_value_next())
      return attached;
    return arguments_[at_++];
  }

  void complain(std::string words) { result_.wrong.push_back(std::move(words)); }

  verb which_;
  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  collected_flags result_;
};

} // namespace

collected_flags collect_flags(verb which, const std::vector<std::string>& arguments) {
  return flag_reader{which, arguments}.read();
}

} // namespace troupe
