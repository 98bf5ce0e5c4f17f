#include "app/log_command.hpp"

#include "persistence/log_dump.hpp"
#include "persistence/log_inspection.hpp"

#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>

namespace troupe {

namespace {

std::string json_of(const log_inspection& found) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const auto& each : found.problems) {
    nlohmann::ordered_json one;
    one["file"] = each.file;
    one["offset"] = each.offset ? nlohmann::ordered_json(*each.offset) : nlohmann::ordered_json(nullptr);
    one["lsn"] = each.lsn ? nlohmann::ordered_json(*each.lsn) : nlohmann::ordered_json(nullptr);
    one["reason"] = each.reason;
    problems.push_back(std::move(one));
  }
  nlohmann::ordered_json all;
  all["verdict"] = to_string(found.verdict);
  all["records"] = found.records;
  all["problems"] = std::move(problems);
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void print_table(const log_inspection& found) {
  std::cout << "verdict  " << to_string(found.verdict) << "\nrecords  " << found.records << '\n';
  for (const auto& each : found.problems) {
    std::cout << "problem  " << each.file;
    if (each.offset)
      std::cout << " at offset " << *each.offset;
    if (each.lsn)
      std::cout << ", lsn " << *each.lsn;
    std::cout << ": " << each.reason << '\n';
  }
}

exit_code verify(file_system& files, const log_settings& settings) {
  const auto found = verify_log(files, settings.directory);
  if (settings.output == output_format::json)
    std::cout << json_of(found) << '\n';
  else
    print_table(found);
  return found.verdict <= log_verdict::torn ? exit_code::ok : exit_code::bad_data;
}

} // namespace

exit_code run_log(const log_settings& settings) {
  const auto files = real_file_system();
  auto code = exit_code::bad_data;
  try {
    if (!files->exists(settings.directory)) {
      std::cerr << "troupe log: " << settings.directory << ": there is no such directory\n";
      return exit_code::usage;
    }
    if (settings.what == log_settings::action::verify)
      code = verify(*files, settings);
    else if (dump_log(*files, settings.directory, std::cout))
      code = exit_code::ok;
  } catch (const std::exception& failure) {
    std::cerr << "troupe log: " << failure.what() << '\n';
    return exit_code::bad_data;
  }
  std::cout.flush();
  return code;
}

} // namespace troupe
