/// \file
/// The kinds of value that settings have: each makes the `accepted` words and the `take` function of a setting.
#pragma once

#include "app/options/settings.hpp"

namespace troupe {

/// Where a value of type T lies within the options of its verb.
template <class T>
using place = std::function<T&(program_options&)>;

/// A setting without a value: finish it with one of the kinds below.
[[nodiscard]] setting named(std::string name, std::string section, std::string help);

[[nodiscard]] setting a_duration(setting base, duration fallback, duration least, duration most, place<duration> where);

[[nodiscard]] setting a_size(setting base, std::uint64_t fallback, std::uint64_t least, std::uint64_t most,
                             place<std::uint64_t> where);

/// No default if `fallback` is empty: then it is required.
[[nodiscard]] setting a_count(setting base, std::optional<std::uint64_t> fallback, std::uint64_t least,
                              std::uint64_t most, place<std::uint64_t> where);

[[nodiscard]] setting a_toggle(setting base, place<bool> where);

/// An address; `least_port` is 0 where the system may pick the port.
[[nodiscard]] setting an_endpoint(setting base, std::uint16_t least_port, place<endpoint> where);

/// One of a few words.
[[nodiscard]] setting a_choice(setting base, std::vector<std::string> words, std::string fallback,
                               std::function<void(program_options&, std::string_view)> put);

/// The path of a directory.
[[nodiscard]] setting a_directory(setting base, std::function<void(program_options&, std::string_view)> put);

/// "a, b or c".
[[nodiscard]] std::string enumerated(const std::vector<std::string>& words);

/// Reads HOST:PORT with a port not below `least_port` into `target`.
[[nodiscard]] problem take_endpoint(std::string_view text, std::uint16_t least_port, endpoint& target);

} // namespace troupe
