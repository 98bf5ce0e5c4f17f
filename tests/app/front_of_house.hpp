/// \file
/// A reception between connections that are strings and a peer that is a list of lots.
#pragma once

#include "app/resp/reception.hpp"
#include "tests/app/fake_node.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::resp {

class front_of_house final : public outside {
public:
  struct connection {
    std::string wire; ///< Out, and not taken yet.
    bool is_read = true;
    bool is_told_all = false;         ///< `last_word_said`
    bool is_shut = false;             ///< `last_word_out`
    int pieces = 0;                   ///< How often it was handed something.
    std::optional<std::string> ended; ///< Why; empty if nothing is wrong.
  };

  explicit front_of_house(const reception_limits& limits = {}) : desk{limits, *this} {}

  // -- clients -------------------------------------------------------------------------------------------------------

  std::uint64_t client_comes() {
    const auto id = ++last_client;
    connections.try_emplace(id);
    desk.let_in({id, "127.0.0.1:9", "127.0.0.1:7001", now()}, static_cast<std::int64_t>(id));
    return id;
  }

  [[nodiscard]] bool is_there(std::uint64_t id) { return desk.find(id) != nullptr; }

  void says(std::uint64_t id, std::string_view bytes) { desk.hear(*desk.find(id), bytes); }
  void ends_input(std::uint64_t id) { desk.hear_end(*desk.find(id)); }
  void hangs_up(std::uint64_t id) { desk.forget(*desk.find(id)); }

  /// What has come to a client since it last took something; it takes it all.
  std::string hears(std::uint64_t id) {
    auto text = std::string{};
    auto& at = connections.at(id);
    while (!at.wire.empty()) {
      const auto piece = std::exchange(at.wire, {});
      text += piece;
      if (auto* one = desk.find(id))
        desk.hear_taken(*one, piece.size());
    }
    return text;
  }

  // -- the peer ------------------------------------------------------------------------------------------------------

  /// Everything that had arrived is heard.
  void turn_ends() {
    if (std::exchange(is_reminded, false))
      desk.submit_gathered();
  }

  void accepts(std::uint64_t lot) { desk.hear_accepted({lot}); }
  void answers(std::uint64_t lot, std::uint32_t from = 0, std::uint32_t count = 0xffffffff) {
    desk.hear_answers({lot, from, carried_out(lots.at(lot), store, from, count)});
  }
  void refuses(std::uint64_t lot, refusal why) { desk.hear_refusal({lot, 0, why}); }

  /// Says something, has the peer answer all there is, and hears the replies.
  std::string asks(std::uint64_t id, std::string_view bytes) {
    says(id, bytes);
    turn_ends();
    for (auto next = lots.upper_bound(answered); next != lots.end(); next = lots.upper_bound(answered))
      answers(answered = next->first);
    return hears(id);
  }

  /// The lots that were handed in, as words: `command 3` is one of three commands.
  [[nodiscard]] words handed_in() const {
    auto all = words{};
    for (const auto& [number, lot] : lots)
      all.push_back((lot.what == operation::command ? "command " : "query ") + std::to_string(lot.block.count));
    return all;
  }

  // -- outside -------------------------------------------------------------------------------------------------------

  instant now() const override { return instant{} + std::chrono::seconds{7}; }
  std::span<const std::pair<std::string, std::string>> settings() const override { return {}; }
  void say(guest& to) override {
    auto piece = std::vector<char>{};
    if (!to.replies.hand_over(piece))
      return;
    auto& at = connections.at(to.id());
    at.wire.append(piece.begin(), piece.end());
    ++at.pieces;
  }
  void listen(const guest& to, bool wanted) override { connections.at(to.id()).is_read = wanted; }
  void last_word_said(const guest& to) override { connections.at(to.id()).is_told_all = true; }
  bool last_word_out(const guest& to) override { return connections.at(to.id()).is_shut = true; }
  void part_from(const guest& whom, std::string_view why) override { connections.at(whom.id()).ended = why; }
  void hand_in(lot_book::submission lot) override {
    const auto number = lot.number;
    lots.emplace(number, std::move(lot));
  }
  void remind() override { is_reminded = true; }
  void ask_state() override { ++questions; }

  reception desk;
  kv::store store;
  std::map<std::uint64_t, connection> connections; ///< Those that have ended included.
  std::map<std::uint64_t, lot_book::submission> lots;
  std::uint64_t answered = 0; ///< By `asks`, the last lot.
  std::uint64_t last_client = 0;
  int questions = 0; ///< How often the peer was asked for its state.
  bool is_reminded = false;
};

} // namespace troupe::resp
