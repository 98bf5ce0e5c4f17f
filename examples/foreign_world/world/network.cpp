#include "world/network.hpp"

#include <utility>

namespace world {

struct network::open_call {
  int from = 0;
  int to = 0;
  std::string request;
  call_end end;
  std::shared_ptr<handler> server; ///< Who was there when the call was made.
};

void network::add_server(int server, handler serve) {
  servers_[server] = std::make_shared<handler>(std::move(serve));
}

void network::call(int from, int to, std::string request, call_end end_of_call) {
  ++calls_;
  bytes_ += request.size();
  const auto found = servers_.find(to);
  const auto server = found == servers_.end() ? nullptr : found->second;
  const auto call =
      std::make_shared<open_call>(open_call{from, to, std::move(request), std::move(end_of_call), server});
  if (!reaches(*call)) {
    // Nobody hears it, and the caller does not learn that for up to seven seconds.
    loop_.after(milliseconds{random(7000)}, [this, call] { end(call, std::nullopt); });
    return;
  }
  if (is_reliable_)
    return deliver(call);
  const auto is_lost = random(1000) < 100;
  loop_.after(milliseconds{random(27)}, [this, call, is_lost] {
    if (is_lost)
      end(call, std::nullopt);
    else
      deliver(call);
  });
}

bool network::is_enabled(int from, int to) const {
  const auto found = enabled_.find({from, to});
  return found != enabled_.end() && found->second;
}

bool network::reaches(const open_call& call) const {
  const auto found = servers_.find(call.to);
  return is_enabled(call.from, call.to) && call.server && found != servers_.end() && found->second == call.server;
}

void network::deliver(const open& call) {
  ++received_;
  look_after(call);
  (*call->server)(call->from, std::move(call->request),
                  [this, call](std::optional<std::string> reply) { take_reply(call, std::move(reply)); });
}

/// While the server works on the call: it fails if the caller has been cut off meanwhile, or the server replaced.
void network::look_after(const open& call) {
  loop_.after(milliseconds{100}, [this, call] {
    if (!call->end)
      return;
    if (reaches(*call))
      look_after(call);
    else
      end(call, std::nullopt);
  });
}

void network::take_reply(const open& call, std::optional<std::string> reply) {
  const auto is_lost = !is_reliable_ && random(1000) < 100;
  if (!reply || !reaches(*call) || is_lost)
    return end(call, std::nullopt);
  if (!is_reordering_ || random(900) >= 600)
    return end(call, std::move(reply));
  const auto late = milliseconds{200 + random(1 + random(2000))};
  loop_.after(late, [this, call, reply = std::move(reply)] { end(call, reply); });
}

void network::end(const open& call, std::optional<std::string> reply) {
  if (!call->end)
    return;
  if (reply)
    bytes_ += reply->size();
  std::exchange(call->end, nullptr)(std::move(reply));
}

} // namespace world
