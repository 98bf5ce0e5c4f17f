#include "messages/lives.hpp"

namespace troupe {

life_number life_of(const uuid& fresh) {
  life_number life = 0;
  for (std::size_t at = 8; at < fresh.bytes.size(); ++at)
    life = life << 8 | fresh.bytes[at];
  return life;
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
