#include "app/status_command.hpp"

#include "app/node_status.hpp"

#include <iostream>

namespace troupe {

exit_code run_status(const status_settings& settings) {
  auto client = resp_client::connect(settings.at, settings.timeout);
  auto answer = ask_status(client, settings.timeout);
  if (auto none = std::get_if<no_status>(&answer)) {
    std::cerr << "troupe status: " << to_string(settings.at) << ": " << none->why << '\n';
    return none->reached ? exit_code::failed : exit_code::unreachable;
  }
  const auto& status = std::get<node_status>(answer);
  if (settings.output == output_format::json)
    std::cout << status.json << '\n';
  else
    std::cout << status_table_text(status);
  std::cout.flush();
  if (status.leader != nobody)
    return exit_code::ok;
  std::cerr << "troupe status: node " << status.id.value() << " knows no leader\n";
  return exit_code::no_leader;
}

} // namespace troupe
