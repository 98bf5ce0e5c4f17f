// The `troupe` program: from a command line to one of its verbs.
#include "app/demo_command.hpp"
#include "app/log_command.hpp"
#include "app/node_command.hpp"
#include "app/options/parse.hpp"
#include "app/sim/sim_command.hpp"
#include "app/status_command.hpp"

#include <csignal>
#include <iostream>

using namespace troupe;

int main(int argc, char** argv) {
  // A client that hangs up must not end a node.
  std::signal(SIGPIPE, SIG_IGN);
  auto parsed = parse_command_line({argv + 1, argv + argc}, real_surroundings());
  if (auto end = std::get_if<early_end>(&parsed)) {
    (end->code == exit_code::ok ? std::cout : std::cerr) << end->text << std::flush;
    return static_cast<int>(end->code);
  }
  const auto& options = std::get<program_options>(parsed);
  auto code = exit_code::failed;
  if (auto node = std::get_if<node_settings>(&options))
    code = run_node(*node);
  else if (auto demo = std::get_if<demo_settings>(&options))
    code = run_demo(*demo);
  else if (auto log = std::get_if<log_settings>(&options))
    code = run_log(*log);
  else if (auto sim = std::get_if<sim_settings>(&options))
    code = run_sim(*sim);
  else
    code = run_status(std::get<status_settings>(options));
  return static_cast<int>(code);
}
