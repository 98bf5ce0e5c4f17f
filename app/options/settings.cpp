#include "app/options/settings.hpp"

#include <cctype>

namespace troupe {

std::string_view name_of(verb which) {
  switch (which) {
  case verb::node: return "node";
  case verb::demo: return "demo";
  case verb::status: return "status";
  }
  return "";
}

std::string setting::variable() const {
  std::string result = "TROUPE_";
  for (char c : name)
    result += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::span<const setting> settings_of(verb which) {
  static const auto node = node_table();
  static const auto demo = demo_table();
  static const auto status = status_table();
  switch (which) {
  case verb::node: return node;
  case verb::demo: return demo;
  case verb::status: return status;
  }
  return {};
}

program_options blank_options(verb which) {
  switch (which) {
  case verb::node: return node_settings{};
  case verb::demo: return demo_settings{};
  case verb::status: return status_settings{};
  }
  return node_settings{};
}

} // namespace troupe
