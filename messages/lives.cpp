#include "messages/lives.hpp"

#include <algorithm>

namespace troupe {

life_number life_of(const uuid& fresh) {
  life_number life = 0;
  for (std::size_t at = 8; at < fresh.bytes.size(); ++at)
    life = life << 8 | fresh.bytes[at];
  return life == 0 ? 1 : life;
}

bool are_sound(std::uint64_t boot, const last_lives& lives) {
  return !lives.empty() && lives.size() <= std::min<std::uint64_t>(boot, lives_kept) && lives.front() != 0;
}

bool may_have_lived(std::uint64_t boot, const last_lives& lives, std::uint64_t met_in, life_number met) {
  if (met_in > boot)
    return false;
  const auto back = boot - met_in;
  if (met == 0)
    return true;
  // Whoever has forgotten no life yet must know all of them.
  return back < lives.size() ? lives[back] == met : lives.size() >= lives_kept;
}

} // namespace troupe
