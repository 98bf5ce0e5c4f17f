#include "app/options/log_verb.hpp"

#include "app/options/shown.hpp"

#include <optional>

namespace troupe {

namespace {

constexpr std::string_view about = R"(troupe log - look at a node's data directory, without touching it

usage: troupe log verify DIR [--output table|json]
       troupe log dump DIR

DIR is what the node is given as --data. Nothing is written and no lock is taken: damaged directories can be looked at, and
those of running nodes.

verify
  Reads all of it as a start of the node would, and says what that would make of it:
    intact    all is as it was written
    torn      not all is, and a start makes up for it: it undoes a write that a crash cut short and nobody had been told
              of, rewrites a bad copy of votes or hint from the other, passes over a bad snapshot that it can do without
    suspect   what is bad cannot have been left by a crash, and may have been acknowledged: a start refuses,
              or has its leader repair it where two others or more are members
    corrupt   something that was durable is lost or changed, or is not this node's: a start refuses; it keeps the
              good part and has its leader repair it where two others or more are members, and only records are bad
  Then how many records of the log are good (in front of the damage, if there is any), every snapshot, good or bad, and
  what is wrong: file, offset and, where it is about a record, its lsn (log sequence number: 1, 2, 3 ... from the first
  record on). A line `loss` says that a start has cut off damage, and that a leader has not repaired it yet: the node has
  no say in elections, whatever the verdict on what is there now. --output json prints the same in one line: {"verdict",
  "records", "snapshots": [{"file", "group", "index", "term", "bytes", "good"}],
  "problems": [{"file", "offset", "lsn", "reason"}], "losses": [{"group", "loss"}]}

dump
  A line for each record of the log, for each group's vote, for the hint and for each snapshot, as far as they can be
  read; goes on behind what is damaged. Bytes of a snapshot are those of its file; `troupe status` counts the content.

exit codes
  0  intact or torn; dump: nothing is damaged
  1  it cannot be read, for lack of permission
  2  usage: a word is wrong, or DIR is no data directory
  5  suspect or corrupt; dump: something is damaged

examples
  troupe log verify /var/lib/troupe
  troupe log verify /var/lib/troupe --output json
  troupe log dump /var/lib/troupe | grep kind=start
)";

early_end wrong(const std::string& words) {
  return {exit_code::usage, "troupe log: " + words + "\nSee troupe log --help\n"};
}

std::optional<log_settings::action> action_named(const std::string& word) {
  if (word == "dump")
    return log_settings::action::dump;
  if (word == "verify")
    return log_settings::action::verify;
  return std::nullopt;
}

} // namespace

std::variant<program_options, early_end> parse_log(const std::vector<std::string>& arguments) {
  for (const auto& each : arguments)
    if (each == "--help" || each == "-h")
      return early_end{exit_code::ok, std::string{about}};
  if (arguments.empty())
    return wrong("say what to do: verify or dump");
  const auto what = action_named(arguments[0]);
  if (!what)
    return wrong(shown(arguments[0]) + " is nothing that can be done to a log; accepted: verify, dump");
  log_settings settings;
  settings.what = *what;
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    const auto& word = arguments[at];
    const auto is_glued = word.starts_with("--output=");
    if (settings.what == log_settings::action::verify && (word == "--output" || is_glued)) {
      if (!is_glued && at + 1 == arguments.size())
        return wrong("--output: has no value; give --output table|json");
      const auto value = is_glued ? word.substr(word.find('=') + 1) : arguments[++at];
      if (value != "table" && value != "json")
        return wrong("--output: " + shown(value) + " is no way to print it; accepted: table or json");
      settings.output = value == "json" ? output_format::json : output_format::table;
    } else if (word.starts_with("-") && word.size() > 1) {
      return wrong(
          shown(word) + ": no such flag"
          + (settings.what == log_settings::action::verify ? "; accepted: --output, --help" : "; accepted: --help"));
    } else if (!settings.directory.empty()) {
      return wrong("two directories, " + shown(settings.directory) + " and " + shown(word) + "; name one");
    } else {
      settings.directory = word;
    }
  }
  if (settings.directory.empty())
    return wrong("name the data directory of a node: troupe log " + arguments[0] + " DIR");
  return program_options{std::move(settings)};
}

} // namespace troupe
