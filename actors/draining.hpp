/// \file
/// Brokers that end as other actors do.
#pragma once

#include <caf/all.hpp>
#include <caf/detail/sync_request_bouncer.hpp>

#include <utility>

namespace troupe {

/// A broker of CAF 0.17 that has ended leaves its mailbox open: what reaches it later stays there for ever, and with it
/// the sender that the message holds on to, so that an actor system may wait without end for actors that have long
/// finished. This one closes its mailbox, lets go of what is in it and bounces requests, as CAF's other actors do.
template <class Broker>
class draining : public Broker {
public:
  using Broker::Broker;

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    const auto why = reason;
    const bool is_first = Broker::cleanup(std::move(reason), host);
    if (auto& box = this->mailbox(); !box.closed()) {
      box.close();
      box.flush_cache();
      caf::detail::sync_request_bouncer bounce{why};
      while (box.queue().new_round(1000, bounce).consumed_items > 0)
        ;
    }
    return is_first;
  }
};

} // namespace troupe
