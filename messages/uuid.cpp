#include "troupe/uuid.hpp"

namespace troupe {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

/// Does a group end before this byte?
constexpr bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

} // namespace

std::string to_string(const uuid& id) {
  std::string text;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i))
      text += '-';
    text += digits[id.bytes[i] >> 4];
    text += digits[id.bytes[i] & 15];
  }
  return text;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i)) {
      if (!text.starts_with('-'))
        return std::nullopt;
      text.remove_prefix(1);
    }
    if (text.size() < 2)
      return std::nullopt;
    const auto high = digits.find(text[0]);
    const auto low = digits.find(text[1]);
    if (high == digits.npos || low == digits.npos)
      return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    text.remove_prefix(2);
  }
  return text.empty() ? std::optional{id} : std::nullopt;
}

uuid uuid_of_name(std::string_view name) {
  using wide = unsigned __int128;
  constexpr auto offset_basis = static_cast<wide>(0x6c62272e07bb0142) << 64 | 0x62b821756295c58d;
  constexpr auto prime = static_cast<wide>(1) << 88 | 0x13b;
  auto hash = offset_basis;
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  uuid id;
  for (auto& byte : id.bytes) {
    byte = static_cast<std::uint8_t>(hash);
    hash >>= 8;
  }
  return id;
}

uuid draw_uuid(std::random_device& dice) {
  uuid drawn;
  std::uniform_int_distribution<int> byte{0, 255};
  for (auto& each : drawn.bytes)
    each = static_cast<std::uint8_t>(byte(dice));
  return drawn;
}

} // namespace troupe
