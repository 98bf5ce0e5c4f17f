/// \file
/// A gateway and a peer without sockets and Raft: conversations over one book of lots and one store.
#pragma once

#include "app/kv/store.hpp"
#include "app/resp/conversation.hpp"
#include "troupe/entry.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::resp {

/// Carries out operations `from` .. `from + count - 1` of a lot.
inline std::shared_ptr<const answer_list> carried_out(const lot_book::submission& lot, kv::store& store,
                                                      std::uint32_t from = 0, std::uint32_t count = 0xffffffff) {
  auto answers = std::make_shared<answer_list>();
  std::uint32_t at = 0;
  for (auto entry = entry_iterator{lot.block.payload.view(), log_index{1}}; at < lot.block.count; ++entry, ++at) {
    if (at < from || at - from >= count)
      continue;
    if (lot.what == operation::query) {
      store.query((*entry).content, *answers);
    } else {
      const auto one = command{log_index{1}, term_number{1}, 0, 0, (*entry).content};
      (void)store.apply({&one, 1}, *answers);
    }
  }
  return answers;
}

class fake_node final : public surroundings {
public:
  struct client {
    explicit client(fake_node& node, std::uint64_t id)
        : mind{{id, "127.0.0.1:9", "127.0.0.1:7001", instant{}}, node.limits, node.book, node} {}
    conversation mind;
    output out;
  };

  instant now() const override { return instant{} + std::chrono::seconds{7}; }
  std::string client_list() const override {
    auto text = std::string{};
    for (const auto& [id, one] : clients)
      text += one->mind.about().description(now());
    return text;
  }
  std::span<const std::pair<std::string, std::string>> settings() const override { return shown; }

  std::uint64_t connect() {
    ++last_client;
    clients.emplace(last_client, std::make_unique<client>(*this, last_client));
    return last_client;
  }

  void tell(std::uint64_t id, std::string_view bytes) {
    auto& one = *clients.at(id);
    one.mind.hear(bytes, one.out);
  }

  /// What a client has been told since the last call; it takes it all.
  std::string hears(std::uint64_t id) {
    auto& one = *clients.at(id);
    auto text = std::string{};
    while (!one.out.empty()) {
      auto bytes = std::move(one.out);
      one.out.clear();
      text.append(bytes.begin(), bytes.end());
      one.mind.taken(bytes.size(), one.out);
    }
    return text;
  }

  /// Submits what may be submitted; the peer has it, but has not said so.
  void submit() {
    for (const auto what : {operation::command, operation::query})
      if (auto next = book.next(what))
        lots.emplace(next->number, std::move(*next));
  }

  /// Carries out operations `from` .. `from + count - 1` of a lot and answers them.
  void answer(std::uint64_t number, std::uint32_t from = 0, std::uint32_t count = 0xffffffff) {
    const auto answers = carried_out(lots.at(number), store, from, count);
    book.answered({number, from, answers}, [&](const lot_book::delivery& part) {
      if (const auto found = clients.find(part.run.client); found != clients.end())
        found->second->mind.hear_answers(part, found->second->out);
    });
  }

  void refuse(std::uint64_t number, refusal why, std::uint32_t from = 0) {
    book.refused({number, from, why}, [&](const operation_run& run) {
      if (const auto found = clients.find(run.client); found != clients.end())
        found->second->mind.hear_refusal(run, why, found->second->out);
    });
  }

  /// Tells the node's status to whoever asked for it.
  void tell_status() {
    for (auto& [id, one] : clients)
      if (one->mind.wants_status())
        one->mind.hear_status(status, one->out);
  }

  /// Submits and answers until nothing is left to do.
  void settle() {
    for (;;) {
      tell_status();
      submit();
      if (lots.empty())
        return;
      while (!lots.empty()) {
        answer(lots.begin()->first);
        lots.erase(lots.begin());
      }
    }
  }

  /// Says something and hears all of the answer.
  std::string ask(std::uint64_t id, std::string_view bytes) {
    tell(id, bytes);
    auto text = hears(id);
    settle();
    return text + hears(id);
  }

  client_limits limits;
  gather_limits gather;
  lot_book book{gather};
  kv::store store;
  node_status status;
  std::map<std::uint64_t, lot_book::submission> lots;
  std::map<std::uint64_t, std::unique_ptr<client>> clients;
  std::uint64_t last_client = 0;
  std::vector<std::pair<std::string, std::string>> shown{{"save", ""}, {"appendonly", "yes"}, {"maxclients", "10000"}};
};

using words = std::vector<std::string>;

/// The lots under way, as words: `command 3` is one of three commands.
inline words under_way(const fake_node& node) {
  auto all = words{};
  for (const auto& [number, lot] : node.lots)
    all.push_back((lot.what == operation::command ? "command " : "query ") + std::to_string(lot.block.count));
  return all;
}

} // namespace troupe::resp
