/// \file
/// Where values come from, and which one counts: flag > environment > file > default.
///
/// CLI11 only collects flags here. Left to itself it lets a file beat the environment.
#pragma once

#include "app/options/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// Values as written, by the name of their setting.
using written_values = std::map<std::string, std::string, std::less<>>;

/// The world outside, as far as options look at it.
struct surroundings {
  /// The value of an environment variable, if there is one.
  std::function<std::optional<std::string>(const std::string&)> variable;
  /// The contents of a file, or nothing if it cannot be read.
  std::function<std::optional<std::string>(const std::string&)> read_file;
};

/// The process's own environment and file system.
[[nodiscard]] surroundings real_surroundings();

/// What stood on the command line after the verb.
struct collected_flags {
  written_values values;
  std::string config; ///< Path given with --config; empty if none.
  bool print_config = false;
  bool help = false;
  problem wrong;
};

[[nodiscard]] collected_flags collect_flags(verb which, const std::vector<std::string>& arguments);

/// What the variables say. An empty variable counts as not set; unknown ones are nobody's business: orchestrators set
/// TROUPE_SERVICE_HOST and the like for a service called troupe.
[[nodiscard]] written_values collect_variables(verb which, const surroundings& world);

/// What a file says.
struct collected_file {
  written_values values;
  std::vector<std::string> wrong;
};

/// Reads a TOML file of `name = value` lines. A key that is no setting of this verb is an error.
[[nodiscard]] collected_file collect_file(verb which, const std::string& path, const surroundings& world);

enum class source { flag, environment, file, fallback, none };

/// The value that counts for one setting.
struct resolved_value {
  const setting* of;
  source from = source::none;
  std::string text;
  std::string file; ///< Path, if it came from one.

  /// "flag --id", "environment variable TROUPE_ID", "file node.toml", "default", "not set".
  [[nodiscard]] std::string source_words() const;
};

/// Decides for every setting of the verb which source counts. Pure.
[[nodiscard]] std::vector<resolved_value> resolve(verb which, const written_values& flags,
                                                  const written_values& variables, const written_values& file,
                                                  const std::string& file_path);

} // namespace troupe
