#include "app/log_command.hpp"

#include "app/options/shown.hpp"
#include "persistence/log_dump.hpp"
#include "persistence/log_inspection.hpp"
#include "persistence/segment.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>

namespace troupe {

namespace {

/// Ends the sentence about a path at which there is nothing to look at.
const std::string give = "; give the directory that the node has as --data";

bool has_log(file_system& files, const std::string& directory) {
  if (files.exists(directory + "/votes") || files.exists(directory + "/hint"))
    return true;
  const auto names = files.list(directory);
  return std::any_of(names.begin(), names.end(), [](const auto& name) { return segment_number(name).has_value(); });
}

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// Also where parts are missing: that is damage, and to be looked at.
bool is_data_directory(file_system& files, const std::string& path) {
  return files.exists(path + "/identity") || (is_directory(path + "/log") && has_log(files, path + "/log"));
}

/// Why a path cannot be what was meant, and what may have been; nothing if a node has been at work there.
std::optional<std::string> why_not(file_system& files, const std::string& path) {
  if (!files.exists(path))
    return "there is no such directory" + give;
  if (!is_directory(path))
    return "is a file, not a directory" + give;
  if (is_data_directory(files, path))
    return std::nullopt;
  const auto names = files.list(path);
  if (names.empty())
    return "is empty: no node has started there yet" + give;
  if (has_log(files, path))
    return "is the log within a data directory" + give + ", the one above";
  for (const auto& name : names)
    if (const auto below = path + "/" + name; is_directory(below) && is_data_directory(files, below))
      return "holds data directories of nodes and is none itself; name one, such as " + in_plain(below);
  return "is no data directory: it has neither the file `identity` of a node nor a log" + give;
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

std::string json_of(const log_inspection& found) {
  auto problems = nlohmann::ordered_json::array();
  for (const auto& each : found.problems)
    problems.push_back(
        {{"file", each.file}, {"offset", or_null(each.offset)}, {"lsn", or_null(each.lsn)}, {"reason", each.reason}});
  auto snapshots = nlohmann::ordered_json::array();
  for (const auto& each : found.snapshots)
    snapshots.push_back({{"file", each.file},
                         {"group", each.group.value()},
                         {"index", each.at.index.value()},
                         {"term", each.at.term.value()},
                         {"bytes", each.bytes},
                         {"good", !each.problem}});
  auto losses = nlohmann::ordered_json::array();
  for (const auto& each : found.losses)
    losses.push_back({{"group", each.group.value()}, {"loss", each.number}});
  nlohmann::ordered_json all;
  all["verdict"] = to_string(found.verdict);
  all["records"] = found.records;
  all["snapshots"] = std::move(snapshots);
  all["problems"] = std::move(problems);
  all["losses"] = std::move(losses);
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void print_table(const log_inspection& found) {
  std::cout << "verdict  " << to_string(found.verdict) << "\nrecords  " << found.records << '\n';
  if (found.snapshots.empty())
    std::cout << "snapshot none\n";
  for (const auto& each : found.snapshots)
    std::cout << "snapshot " << (each.problem ? "bad" : "good") << ", group " << each.group.value() << ", index "
              << each.at.index.value() << ", term " << each.at.term.value() << ", " << each.bytes
              << " bytes: " << each.file << '\n';
  for (const auto& each : found.problems) {
    std::cout << "problem  " << each.file;
    if (each.offset)
      std::cout << " at offset " << *each.offset;
    if (each.lsn)
      std::cout << ", lsn " << *each.lsn;
    std::cout << ": " << each.reason << '\n';
  }
  for (const auto& each : found.losses)
    std::cout << "loss     group " << each.group.value() << ", loss " << each.number
              << ": what it lost is not repaired, and it has no say until a leader has done so\n";
}

exit_code verify(file_system& files, const std::string& directory, output_format output) {
  const auto found = verify_log(files, directory);
  if (output == output_format::json)
    std::cout << json_of(found) << '\n';
  else
    print_table(found);
  return found.verdict <= log_verdict::torn ? exit_code::ok : exit_code::bad_data;
}

} // namespace

exit_code run_log(const log_settings& settings) {
  const auto files = real_file_system();
  auto directory = settings.directory;
  while (directory.size() > 1 && directory.ends_with('/'))
    directory.pop_back();
  auto code = exit_code::bad_data;
  try {
    if (const auto why = why_not(*files, directory)) {
      std::cerr << "troupe log: " << in_plain(directory) << ": " << *why << '\n';
      return exit_code::usage;
    }
    if (settings.what == log_settings::action::verify)
      code = verify(*files, directory, settings.output);
    else if (dump_log(*files, directory, std::cout))
      code = exit_code::ok;
  } catch (const std::exception& failure) {
    std::cout.flush();
    std::cerr << "troupe log: " << failure.what() << '\n';
    return exit_code::failed;
  }
  std::cout.flush();
  return code;
}

} // namespace troupe
