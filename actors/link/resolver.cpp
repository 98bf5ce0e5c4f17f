#include "actors/link/resolver.hpp"

#include <utility>

namespace troupe {

namespace {

struct resolve {};

using resolver_actor = caf::typed_actor<caf::reacts_to<resolve>>;

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::resolve)

namespace troupe {

namespace {

class resolver : public resolver_actor::base {
public:
  resolver(caf::actor_config& config, endpoint where, std::uint64_t attempt, dialer_actor asker)
      : resolver_actor::base{config}, where_{std::move(where)}, attempt_{attempt}, asker_{std::move(asker)} {}

private:
  behavior_type make_behavior() override {
    return {[this](resolve) { answer(); }};
  }

  void answer() {
    auto found = resolve_addresses(where_);
    addresses_resolved news;
    news.attempt = attempt_;
    if (auto* addresses = std::get_if<std::vector<socket_address>>(&found))
      news.addresses = std::move(*addresses);
    else
      news.trouble = std::move(std::get<std::string>(found));
    send(std::exchange(asker_, nullptr), std::move(news));
    quit();
  }

  endpoint where_;
  std::uint64_t attempt_;
  dialer_actor asker_;
};

} // namespace

void spawn_resolver(caf::actor_system& system, const endpoint& where, std::uint64_t attempt, dialer_actor asker) {
  caf::anon_send(system.spawn<resolver, caf::detached>(where, attempt, std::move(asker)), resolve{});
}

} // namespace troupe
