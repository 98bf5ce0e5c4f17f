/// \file
/// The table of everything a user can set. Flags, variables, file keys, help, defaults and checks all come from it, so
/// that none of them can know a setting the others do not.
#pragma once

#include "app/options/program_options.hpp"

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What is wrong, in words; nothing if all is well.
using problem = std::optional<std::string>;

enum class verb { node, demo, status };

inline constexpr std::array all_verbs{verb::node, verb::demo, verb::status};

[[nodiscard]] std::string_view name_of(verb which);

/// One thing a user can set: as flag `--name`, as variable `TROUPE_NAME` (upper case, `_` for `-`), as key `name` of
/// the TOML file.
struct setting {
  enum class shape {
    text,   ///< A string in the file.
    count,  ///< An integer in the file.
    toggle, ///< A flag without a value; a boolean in the file.
  };

  std::string name;
  std::string section;    ///< Heading in the help.
  std::string value_name; ///< Stands for the value in the help: `TIME`, or all the words there are, as in `table|json`.
  std::string help;
  /// What a good value looks like; ends the sentence "accepted: ...".
  std::string accepted;
  /// The default as a user would write it. Empty: there is none, or it follows from another setting.
  std::string fallback;
  shape form = shape::text;
  bool required = false;
  /// Puts a value, as written, into the options of its verb, or says what is wrong with it.
  std::function<problem(program_options&, std::string_view)> take;

  [[nodiscard]] std::string flag() const { return "--" + name; }
  [[nodiscard]] std::string variable() const;
};

/// All settings of a verb, in the order of its help.
[[nodiscard]] std::span<const setting> settings_of(verb which);

/// The options of a verb before anything is taken.
[[nodiscard]] program_options blank_options(verb which);

/// Builders of the tables, one per verb.
[[nodiscard]] std::vector<setting> node_table();
[[nodiscard]] std::vector<setting> demo_table();
[[nodiscard]] std::vector<setting> status_table();

} // namespace troupe
