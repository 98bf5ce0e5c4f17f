// The settings of `troupe demo` and `troupe status`.
#include "app/options/settings.hpp"
#include "app/options/value_kinds.hpp"

namespace troupe {

namespace {

using namespace std::chrono_literals;

demo_settings& demo_of(program_options& options) {
  return std::get<demo_settings>(options);
}
status_settings& status_of(program_options& options) {
  return std::get<status_settings>(options);
}

} // namespace

std::vector<setting> demo_table() {
  const std::string section = "Settings";
  std::vector<setting> table;
  table.push_back(a_count(named("peers", section, "How many nodes to start, each a process of its own."), 3, 1, 9,
                          [](program_options& options) -> std::uint64_t& { return demo_of(options).peers; }));

  table.push_back(
      a_directory(named("dir", section,
                        "Where the nodes keep their data and logs. What is there already is taken up again, and "
                        "nothing is removed. By default a fresh directory below $TMPDIR, removed at the end if all "
                        "went well."),
                  [](program_options& options, std::string_view path) { demo_of(options).directory = path; }));

  // The highest node takes port + 100 + 8.
  table.push_back(a_count(named("client-port", section,
                                "Where node 1 accepts Redis clients; the other nodes take the next ports, and all of "
                                "them port + 100 for each other. 0 picks free ones."),
                          7001, 0, 65'400,
                          [](program_options& options) -> std::uint64_t& { return demo_of(options).client_port; }));
  table.push_back(a_toggle(named("once", section,
                                 "Prove it and end: write 1,000 keys, kill -9 the leader, wait for the next, read all "
                                 "back from another node, restart the killed one, wait until it has caught up."),
                           [](program_options& options) -> bool& { return demo_of(options).once; }));
  return table;
}

std::vector<setting> status_table() {
  const std::string section = "Settings";
  std::vector<setting> table;
  auto at = an_endpoint(named("at", section, "The client address of the node to ask."), 1,
                        [](program_options& options) -> endpoint& { return status_of(options).at; });
  at.required = true;
  table.push_back(std::move(at));
  table.push_back(a_choice(named("output", section, "How to print the answer."), {"table", "json"}, "table",
                           [](program_options& options, std::string_view word) {
                             status_of(options).output = word == "json" ? output_format::json : output_format::table;
                           }));
  table.push_back(a_duration(named("timeout", section, "How long to wait for the answer."), 2s, 1ms, 600s,
                             [](program_options& options) -> duration& { return status_of(options).timeout; }));
  return table;
}

} // namespace troupe
