#include "app/sim/resp_gate.hpp"

#include "app/resp_reply.hpp"
#include "app/sim/resp_door.hpp"
#include "app/sim/resp_words.hpp"
#include "stage/transcript.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace troupe {

namespace {

/// A client that waits for so many replies has other things to do than to ask for more.
constexpr std::size_t most_awaited = 40;

/// What a client waits for.
struct awaited {
  operation_id id; ///< 0: something that the node answers alone.
  bool is_write = false;
  std::string beginning; ///< Of the reply then.
};

/// Bytes one way: piece by piece, in order.
struct wire {
  std::string bytes;
  bool is_moving = false;
};

struct connection {
  unsigned client = 0;
  peer_id node;
  wire there;
  wire back;
  bool is_read = true;       ///< The node takes bytes.
  bool has_ended = false;    ///< The client says no more.
  bool end_is_told = false;  ///< And the node knows.
  bool is_closed = false;    ///< By the node; what is on its way back still comes.
  std::deque<awaited> waits; ///< In the order of the requests.
  resp_reply_reader reader;
  std::string heard; ///< What the reader holds.
};

/// Words for a line of a story.
std::string as_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words)
    line += (line.empty() ? "" : " ") + word;
  return one_line(line);
}

std::string as_line(std::string_view reply) {
  std::string line;
  for (const char c : reply.substr(0, reply.size() - std::min<std::size_t>(2, reply.size())))
    if (c != '\r')
      line += c;
  return one_line(line);
}

class resp_gate final : public client_gate {
public:
  explicit resp_gate(gate_parts parts)
      : runtime_{parts.runtime}, watch_{parts.watch}, knobs_{parts.knobs}, chance_{parts.chance} {}

  void open(peer_id node, const peer_actor& peer) override {
    auto parts = std::make_shared<std::optional<door_parts>>(door_parts{
        runtime_,
        watch_,
        draw_limits(),
        draw_gather(),
        [this](auto line, auto bytes) { hear_node(line, bytes); },
        [this](auto line, bool reads) { heed(line, reads); },
        [this](auto line) { hear_close(line); },
    });
    auto handle = open_door(runtime_.system(), peer, parts);
    runtime_.adopt(caf::actor_cast<caf::strong_actor_ptr>(handle), node);
    doors_.insert_or_assign(node, present_door{std::move(handle), std::move(parts)});
  }

  void close(peer_id node) override {
    const auto found = doors_.find(node);
    if (found == doors_.end())
      return;
    found->second.parts->reset();
    runtime_.kill(caf::actor_cast<caf::strong_actor_ptr>(found->second.handle));
    doors_.erase(found);
    for (auto at = connections_.begin(); at != connections_.end();) {
      auto& [line, there] = *at++;
      if (there.node != node)
        continue;
      if (chance_.chance(50)) // Replies may have been out before the power went.
        hear(line, std::exchange(there.back.bytes, {}));
      cut_off(line);
    }
  }

  std::uint64_t line(unsigned client, peer_id node) override {
    if (!doors_.contains(node))
      return 0;
    for (const auto& [number, one] : connections_)
      if (one.client == client && one.node == node && !one.has_ended && !one.is_closed)
        return one.waits.size() < most_awaited ? number : 0;
    auto& one = connections_[++last_line_];
    one.client = client;
    one.node = node;
    return last_line_;
  }

  void say(std::uint64_t line, std::vector<request> requests) override {
    auto& on = connections_.at(line);
    for (const auto& each : requests) {
      if (chance_.chance(5))
        chat(on);
      say(on, redis_words(each.id, each.content, chance_), {each.id, each.what == operation::command, {}});
    }
    if (chance_.chance(3)) {
      on.has_ended = true;
      if (chance_.chance(50))
        say(on, {"QUIT"}, {{}, false, "+OK\r\n"});
    } else if (chance_.chance(2)) {
      runtime_.after(some_time(), [this, line] { hang_up(line); });
    }
    move_there(line);
  }

private:
  struct present_door {
    resp_door handle;
    std::shared_ptr<std::optional<door_parts>> parts;
  };

  // -- bounds --------------------------------------------------------------------------------------------------------

  resp::client_limits draw_limits() {
    resp::client_limits limits;
    if (chance_.chance(50))
      limits.pipeline = 1 + chance_.below(16);
    if (chance_.chance(50))
      limits.output_pause_bytes = 50 + chance_.below(5000);
    return limits;
  }

  /// Lots no larger than those of clients that submit themselves, numbers included; room for some operations at least.
  gather_limits draw_gather() {
    gather_limits gather;
    gather.lot_bytes = knobs_.most_in_a_lot * (knobs_.value_bytes + 100) / 2;
    if (chance_.chance(30))
      gather.waiting_bytes = 2 * (knobs_.value_bytes + 100) + chance_.below(2000);
    if (chance_.chance(30))
      gather.unanswered_bytes = 4 * (knobs_.value_bytes + 100 + operation_cost_bytes) + chance_.below(4000);
    return gather;
  }

  // -- what clients say ----------------------------------------------------------------------------------------------

  void say(connection& on, const std::vector<std::string>& words, awaited reply) {
    watch_.note(trace_event::kind::asks, on.node, [&] {
      return "client " + std::to_string(on.client + 1) + " says "
          + (reply.id == operation_id{} ? "" : std::to_string(reply.id.value()) + ": ") + as_line(words);
    });
    on.there.bytes += redis_bytes(words, chance_);
    on.waits.push_back(std::move(reply));
  }

  /// Something that the store has nothing to do with.
  void chat(connection& on) {
    const auto word = "w" + std::to_string(++chats_);
    const auto reply = '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    switch (chance_.below(6)) {
    case 0: return say(on, {"PING"}, {{}, false, "+PONG\r\n"});
    case 1: return say(on, {"PING", word}, {{}, false, reply});
    case 2: return say(on, {"GET"}, {{}, false, "-ERR wrong number of arguments for 'get' command\r\n"});
    case 3: return say(on, {word, "k1"}, {{}, false, "-ERR unknown command '" + word + "'"});
    case 4: return say(on, {"TROUPE", "STATUS"}, {{}, false, "$"});
    default: return say(on, {"ECHO", word}, {{}, false, reply});
    }
  }

  void hang_up(std::uint64_t line) {
    const auto found = connections_.find(line);
    if (found == connections_.end())
      return;
    tell_door(found->second.node, client_ended{line, true});
    cut_off(line);
  }

  void cut_off(std::uint64_t line) {
    const auto on = connections_.extract(line);
    for (const auto& each : on.mapped().waits)
      if (each.id != operation_id{})
        watch_.lost(each.id);
    watch_.note(trace_event::kind::tells, on.mapped().node, [&] {
      return "client " + std::to_string(on.mapped().client + 1) + " has no connection any more, and waited for "
          + std::to_string(on.mapped().waits.size()) + " replies";
    });
  }

  // -- bytes on their way --------------------------------------------------------------------------------------------

  duration some_time() { return std::chrono::microseconds{chance_.below(chance_.chance(80) ? 300 : 30'000)}; }

  std::string piece_of(wire& from) {
    const auto size = chance_.chance(60) ? from.bytes.size() : 1 + chance_.below(from.bytes.size());
    auto piece = from.bytes.substr(0, size);
    from.bytes.erase(0, size);
    return piece;
  }

  template <class Message>
  void tell_door(peer_id node, Message message) {
    if (const auto found = doors_.find(node); found != doors_.end())
      runtime_.tell(found->second.handle, std::move(message));
  }

  void move_there(std::uint64_t line) {
    auto& on = connections_.at(line);
    if (on.there.is_moving || !on.is_read || on.is_closed)
      return;
    if (on.there.bytes.empty()) {
      if (on.has_ended && !std::exchange(on.end_is_told, true))
        tell_door(on.node, client_ended{line, false});
      return;
    }
    on.there.is_moving = true;
    runtime_.after(some_time(), [this, line] {
      const auto found = connections_.find(line);
      if (found == connections_.end())
        return;
      auto& [number, there] = *found;
      there.there.is_moving = false;
      tell_door(there.node, client_bytes{line, piece_of(there.there)});
      move_there(line);
    });
  }

  void move_back(std::uint64_t line) {
    auto& on = connections_.at(line);
    if (on.back.is_moving)
      return;
    if (on.back.bytes.empty()) {
      if (on.is_closed)
        see_end(line);
      return;
    }
    on.back.is_moving = true;
    runtime_.after(some_time(), [this, line] {
      const auto found = connections_.find(line);
      if (found == connections_.end())
        return;
      found->second.back.is_moving = false;
      const auto piece = piece_of(found->second.back);
      tell_door(found->second.node, client_took{line, piece.size()});
      hear(line, piece);
      move_back(line);
    });
  }

  void heed(std::uint64_t line, bool reads) {
    const auto found = connections_.find(line);
    if (found == connections_.end())
      return;
    found->second.is_read = reads;
    move_there(line);
  }

  // -- what clients hear ---------------------------------------------------------------------------------------------

  void hear_node(std::uint64_t line, const std::string& bytes) {
    const auto found = connections_.find(line);
    if (found == connections_.end())
      return;
    found->second.back.bytes += bytes;
    move_back(line);
  }

  void hear_close(std::uint64_t line) {
    const auto found = connections_.find(line);
    if (found == connections_.end())
      return;
    found->second.is_closed = true;
    move_back(line);
  }

  /// The node has closed the connection, and is alive.
  void see_end(std::uint64_t line) {
    const auto& on = connections_.at(line);
    if (!on.has_ended)
      watch_.broken(name(on) + " loses its connection, and has not asked for that");
    else if (!on.waits.empty())
      watch_.broken(name(on) + " loses its connection before it has all replies");
    cut_off(line);
  }

  void hear(std::uint64_t line, const std::string& bytes) {
    auto& on = connections_.at(line);
    on.reader.feed(bytes);
    on.heard += bytes;
    resp_reply reply;
    while (true) {
      const auto found = on.reader.next(reply);
      if (found == resp_reply_reader::outcome::garbage)
        return watch_.broken(name(on) + " hears what is no reply");
      if (found == resp_reply_reader::outcome::incomplete)
        return;
      const auto size = on.heard.size() - on.reader.held_bytes();
      const auto words = on.heard.substr(0, size);
      on.heard.erase(0, size);
      hear_reply(on, words, reply);
    }
  }

  void hear_reply(connection& on, const std::string& words, const resp_reply& reply) {
    if (on.waits.empty())
      return watch_.broken(name(on) + " hears a reply to nothing: " + as_line(words));
    const auto to = std::move(on.waits.front());
    on.waits.pop_front();
    watch_.note(trace_event::kind::tells, on.node, [&] {
      return "client " + std::to_string(on.client + 1) + " hears "
          + (to.id == operation_id{} ? "" : "of " + std::to_string(to.id.value()) + ": ") + as_line(words);
    });
    if (to.id == operation_id{}) {
      if (!words.starts_with(to.beginning) && !(to.beginning == "$" && reply.is_error("CLUSTERDOWN")))
        watch_.broken(name(on) + " hears another reply than to what it has said: " + as_line(words));
      return;
    }
    if (const auto why = refusal_in(reply, to.is_write))
      return watch_.refused(to.id, *why);
    watch_.answered(to.id, words);
  }

  /// What a client may conclude from an error that is not the store's: by its code word, as README.md has it, not by
  /// the code under test.
  static std::optional<refusal> refusal_in(const resp_reply& reply, bool is_write) {
    const auto says = [&](std::string_view words) { return reply.text.find(words) != std::string::npos; };
    if (reply.is_error("UNCERTAIN"))
      return refusal::uncertain;
    if (reply.is_error("BUSY"))
      return refusal::busy;
    if (reply.is_error("CLUSTERDOWN") && says("no leader is known"))
      return refusal::no_leader;
    if (reply.is_error("CLUSTERDOWN") && says("no quorum"))
      return refusal::not_ready;
    if (reply.is_error("CLUSTERDOWN")) // A read may be in the log all the same: its leader is lost.
      return is_write ? refusal::stopped : refusal::uncertain;
    if (reply.is_error("ERR") && says("nothing was done"))
      return refusal::too_large;
    return std::nullopt;
  }

  [[nodiscard]] static std::string name(const connection& on) {
    return "client " + std::to_string(on.client + 1) + " of node " + std::to_string(on.node.value());
  }

  stage_runtime& runtime_;
  gate_watch& watch_;
  const stage_knobs& knobs_;
  dice chance_;
  std::map<peer_id, present_door> doors_;
  std::map<std::uint64_t, connection> connections_; ///< By line.
  std::uint64_t last_line_ = 0;
  std::uint64_t chats_ = 0;
};

} // namespace

std::unique_ptr<client_gate> make_resp_gate(gate_parts parts) {
  return std::make_unique<resp_gate>(std::move(parts));
}

} // namespace troupe
