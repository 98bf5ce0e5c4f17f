// The command line behind the verb, read by CLI11. What it found is judged here: CLI11 by itself would stop at the
// first fault, in words of its own.
#include "app/options/shown.hpp"
#include "app/options/sources.hpp"
#include "app/options/unknown_name.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe {

namespace {

const std::vector<std::string> flags_beside{"--config", "--print-config", "--help", "-h"};

// Marks a text that CLI11 is to carry and not to interpret. No argument of a process can hold it.
constexpr char mark = '\0';

std::string flag_of(const std::string& word) {
  return word.substr(0, word.find('='));
}

// Left to itself, CLI11 takes "-x" for a flag even where a value is due, "--flag=" for "--flag", and "--" for the end
// of all flags.
std::string marked(const std::string& word) {
  if (word == "--")
    return word + mark;
  const auto flag = flag_of(word);
  if (word.starts_with("--"))
    return flag == word ? word : flag + '=' + mark + word.substr(flag.size() + 1);
  return word.empty() || (word.front() == '-' && flag != "-h") ? mark + word : word;
}

std::string unmarked(const std::string& text) {
  return text.starts_with(mark) ? text.substr(1) : text;
}

// What one use of a flag said. CLI11 writes the empty text where nothing was said: one that a user writes is marked.
std::optional<std::string> said(const std::string& result) {
  return result.empty() ? std::nullopt : std::optional{unmarked(result)};
}

/// Reads the arguments of one verb.
class flag_reader {
public:
  explicit flag_reader(verb which) : which_{which} {
    app_.set_help_flag(); // CLI11's own would print a help of its own.
    app_.allow_extras();
    help_ = add("--help,-h", 0);
    print_config_ = add("--print-config", 0);
    config_ = add("--config", 1);
    for (const auto& each : settings_of(which))
      settings_.emplace_back(&each, add(each.flag(), each.form == setting::shape::toggle ? 0 : 1));
  }

  collected_flags read(const std::vector<std::string>& arguments) {
    std::vector<std::string> words(arguments.size());
    std::transform(arguments.begin(), arguments.end(), words.begin(), marked);
    try {
      app_.parse(std::vector<std::string>{words.rbegin(), words.rend()}); // CLI11 takes them from the back.
    } catch (const CLI::ParseError&) {
      complain("cannot be understood; every value stands behind its flag, as in --timeout 2s");
    }
    judge_leftovers(words);
    result_.help = is_on("--help", *help_);
    result_.print_config = is_on("--print-config", *print_config_);
    take_config();
    for (const auto& [of, option] : settings_)
      take_setting(*of, *option);
    return std::move(result_);
  }

private:
  // Any number of uses, and each may lack its value: that is told later, with all else that is wrong.
  CLI::Option* add(const std::string& names, int most_values) {
    return app_.add_option(names)->expected(0, most_values)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  // What CLI11 does not know, in the order of the command line: flags that do not exist, and words without a flag.
  void judge_leftovers(const std::vector<std::string>& words) {
    const auto left = app_.remaining();
    auto from = words.begin();
    for (std::size_t at = 0; at < left.size(); ++at) {
      auto word = left[at];
      std::erase(word, mark);
      if (word.size() < 2 || word.front() != '-') {
        complain(shown(word) + " is no flag; every value stands behind its flag, as in --timeout 2s");
        continue;
      }
      const auto flag = flag_of(word);
      complain(in_plain(flag) + ": no such flag"
               + instead_of(
                   flag, which_, [](const setting& each) { return each.flag(); }, flags_beside));
      from = std::find(from, words.end(), left[at]);
      const bool has_next = flag == word && at + 1 < left.size() && words.end() - from > 1;
      if (has_next && from[1] == left[at + 1] && !left[at + 1].starts_with("--"))
        ++at; // Of the flag that does not exist: one fault, not two.
    }
  }

  void take_setting(const setting& of, const CLI::Option& option) {
    for (const auto& result : option.results()) {
      auto value = said(result);
      if (!value && of.form == setting::shape::toggle)
        value = "true";
      if (!value) {
        complain(of.flag() + ": has no value; give " + of.flag() + " " + of.value_name + "; accepted: " + of.accepted);
        continue;
      }
      const auto [first, is_new] = result_.values.emplace(of.name, *value);
      if (!is_new)
        complain(of.flag() + ": given twice, as " + shown(first->second) + " and as " + shown(*value)
                 + "; give it once");
    }
  }

  void take_config() {
    for (const auto& result : config_->results()) {
      const auto path = said(result).value_or("");
      if (path.empty())
        complain("--config: has no value; give --config FILE, a TOML file with settings");
      else if (!result_.config.empty())
        complain("--config: given twice, as " + shown(result_.config) + " and as " + shown(path)
                 + "; settings come from one file");
      else
        result_.config = path;
    }
  }

  bool is_on(const std::string& flag, const CLI::Option& option) {
    for (const auto& result : option.results())
      if (const auto value = said(result))
        complain(flag + ": takes no value, and got " + shown(*value));
    return !option.empty();
  }

  void complain(std::string words) { result_.wrong.push_back(std::move(words)); }

  verb which_;
  CLI::App app_;
  CLI::Option* help_ = nullptr;
  CLI::Option* print_config_ = nullptr;
  CLI::Option* config_ = nullptr;
  std::vector<std::pair<const setting*, CLI::Option*>> settings_;
  collected_flags result_;
};

} // namespace

collected_flags collect_flags(verb which, const std::vector<std::string>& arguments) {
  return flag_reader{which}.read(arguments);
}

} // namespace troupe
