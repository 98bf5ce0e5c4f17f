/// \file
/// Where values come from, and which one counts: flag > environment > file > default.
///
/// Each source is only collected; `resolve` alone decides.
#pragma once

#include "app/options/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// Values as written, by the name of their setting.
using written_values = std::map<std::string, std::string, std::less<>>;

/// What became of a file that was to be read.
struct file_contents {
  std::string text;
  problem wrong; ///< Why there is no text, such as "does not exist".
};

/// The world outside, as far as options look at it.
struct surroundings {
  /// The value of an environment variable, if there is one.
  std::function<std::optional<std::string>(const std::string&)> variable;
  /// The names of all environment variables.
  std::function<std::vector<std::string>()> variable_names;
  std::function<file_contents(const std::string&)> read_file;
  /// Tells the user, in one line, something that does not keep the program from running.
  std::function<void(const std::string&)> warn;
};

/// The process's own environment and file system.
[[nodiscard]] surroundings real_surroundings();

/// What stood on the command line after the verb.
struct collected_flags {
  written_values values;
  std::string config; ///< Path given with --config; empty if none.
  bool print_config = false;
  bool help = false;
  std::vector<std::string> wrong;
};

/// Every flag may be given once; one that is unknown is told with the one it may have meant.
[[nodiscard]] collected_flags collect_flags(verb which, const std::vector<std::string>& arguments);

/// What the variables say.
struct collected_variables {
  written_values values;
  /// Names that begin with TROUPE_ and look like a setting misspelt.
  std::vector<std::string> wrong;
  /// Names that begin with TROUPE_ and mean nothing here. Not those that orchestrators set for a service called troupe,
  /// such as TROUPE_SERVICE_HOST and TROUPE_PORT_7001_TCP.
  std::vector<std::string> doubtful;
};

/// An empty variable counts as not set. Settings of other verbs are left alone: a demo's nodes inherit theirs.
[[nodiscard]] collected_variables collect_variables(verb which, const surroundings& world);

/// What a file says.
struct collected_file {
  written_values values;
  std::vector<std::string> wrong;
};

/// Reads a TOML file of `name = value` lines. A key that is no setting of this verb is an error, told with the one it
/// may have meant.
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
