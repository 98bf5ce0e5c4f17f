#include "app/options/help.hpp"

#include "app/options/units.hpp"

#include <cstdint>
#include <limits>
#include <sstream>

namespace troupe {

namespace {

constexpr std::string_view about =
    R"(troupe - a replicated key-value store that Redis clients talk to; Raft, played by actors

usage: troupe VERB [--SETTING VALUE]...

verbs
  node      run one node of a cluster, until SIGTERM or SIGINT
  demo      run a whole cluster on this machine, or prove that it survives kill -9 (--once)
  status    ask a node who leads and how far everybody is
  log       look at a node's data directory: verify it, or dump what lies there
  sim       play whole clusters on a virtual clock, with everything going wrong, and judge them

  troupe VERB --help shows the settings of a verb; troupe --version the version.

examples
  troupe demo
  redis-cli -p 7001 set greeting hello
  troupe status --at 127.0.0.1:7001
  troupe node --id 1 --peers 1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103 \
              --client 127.0.0.1:7001 --data /var/lib/troupe
)";

constexpr std::string_view precedence = R"(
settings
  Each can be given in three ways. The first that says anything counts:
    1. as a flag:          --heartbeat 50ms
    2. in the environment: TROUPE_HEARTBEAT=50ms (an empty variable counts as not set)
    3. in a TOML file:     heartbeat = "50ms" (--config FILE, or TROUPE_CONFIG=FILE)
  --print-config shows every value with where it came from, as such a file, and ends.
)";

constexpr std::string_view exit_codes = R"(
exit codes
  0  ok
  1  it failed; the last line on stderr says what
  2  usage: a flag, a variable or a file is wrong; nothing was started
  3  the node answers, but there is no leader
  4  unreachable, or no quorum
  5  the data directory is damaged, in use, or belongs to another node or cluster
)";

constexpr std::string_view node_about = R"(troupe node - run one node of a cluster

Prints `ready id=N client=HOST:PORT peer=HOST:PORT` on stdout once it serves. Logs go to stderr, one line per event.
SIGTERM or SIGINT stops it cleanly (exit code 0); kill -9 costs nothing that was acknowledged.

examples
  troupe node --id 1 --peers 1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103 \
              --client 127.0.0.1:7001 --data /var/lib/troupe
  troupe node --config /etc/troupe.toml --log-level debug
  TROUPE_DATA=/mnt/fast troupe node --config /etc/troupe.toml --print-config
)";

constexpr std::string_view demo_about = R"(troupe demo - run a whole cluster on this machine

Starts that many `troupe node` processes on loopback, with durable data, and says what to try. Prints a line when the
leader changes or a node ends; kill one and see. What each node logs is in DIR/node-N.log. Ctrl-C stops all of them.
Settings of the nodes come from the environment, such as TROUPE_HEARTBEAT=50ms.

examples
  troupe demo
  troupe demo --peers 5 --dir ~/troupe-data --client-port 7001
  troupe demo --once --client-port 0
)";

constexpr std::string_view status_about = R"(troupe status - ask a node who leads and how far everybody is

Prints what the node knows of itself, entries by their index; the same numbers as --output json, which has more.
  commit     the last entry that is known to be on a majority
  applied    the last one whose effect is in the state
  last       the last one in the node's log
  log_start  the last one that the log has forgotten, which begins behind it; 0: it goes back to the first ever
  snapshot   the last one whose effect is in the newest snapshot, and how many bytes of content that has
A leader says of each follower: match, the last entry it is known to have, and lag, how many it lacks.

Exit code 3 if the node knows no leader, 4 if it does not answer.

examples
  troupe status --at 127.0.0.1:7001
  troupe status --at 127.0.0.1:7001 --output json
)";

// Text in lines of at most 100 columns, each behind `indent` spaces.
void wrap(std::ostream& out, std::string_view text, std::size_t indent) {
  std::istringstream words{std::string{text}};
  std::string word;
  std::size_t column = 0;
  while (words >> word) {
    if (column + 1 + word.size() > 100 || column == 0) {
      out << (column == 0 ? "" : "\n") << std::string(indent, ' ') << word;
      column = indent + word.size();
    } else {
      out << ' ' << word;
      column += 1 + word.size();
    }
  }
  out << '\n';
}

void describe(std::ostream& out, const setting& each) {
  out << "  " << each.flag() << (each.value_name.empty() ? "" : " ") << each.value_name;
  if (each.required)
    out << "  (required)";
  else if (!each.fallback.empty() && each.form != setting::shape::toggle)
    out << "  (default: " << each.fallback << ')';
  out << '\n';
  wrap(out, each.help, 6);
}

std::string_view about_verb(verb which) {
  switch (which) {
  case verb::node: return node_about;
  case verb::demo: return demo_about;
  case verb::status: return status_about;
  }
  return "";
}

// A TOML basic string.
std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (byte < 0x20 || byte == 0x7f)
      ((result += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
    else
      result += c;
  }
  return result + '"';
}

} // namespace

std::string general_help() {
  return std::string{about} + std::string{precedence} + std::string{exit_codes};
}

std::string verb_help(verb which) {
  std::ostringstream out;
  out << about_verb(which);
  std::string section;
  for (const auto& each : settings_of(which)) {
    if (each.section != section)
      out << '\n' << (section = each.section) << '\n';
    describe(out, each);
  }
  out << "\nAlways\n  --config FILE\n      A TOML file with settings.\n"
         "  --print-config\n      Show every value with where it came from, and end.\n"
         "  --help, -h\n      This text.\n";
  out << precedence << exit_codes;
  return out.str();
}

std::string printed_config(verb which, const std::vector<resolved_value>& values) {
  std::ostringstream out;
  out << "# troupe " << name_of(which) << ": the values that count, and where each came from\n";
  for (const auto& each : values) {
    if (each.from == source::none) {
      out << "# " << each.of->name << ": not set" << (each.of->required ? ", required" : "") << '\n';
      continue;
    }
    // A count as TOML writes it: without zeros in front, and not beyond its integers.
    const auto count = each.of->form == setting::shape::count ? parse_count(each.text) : std::nullopt;
    const auto text = count ? std::to_string(*count) : each.text;
    const auto bare =
        each.of->form == setting::shape::toggle || (count && *count <= std::numeric_limits<std::int64_t>::max());
    out << each.of->name << " = " << (bare ? text : quoted(text)) << " # " << each.source_words() << '\n';
  }
  return out.str();
}

} // namespace troupe
