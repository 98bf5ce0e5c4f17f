#include "tests/process/token_load.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_at_once = 6;
// Beyond every deadline a node has: a client that waits longer has been forgotten.
constexpr duration answer_patience = 40s;
constexpr duration judge_patience = 60s;
constexpr std::size_t keys_at_once = 200;

instant now() {
  return std::chrono::steady_clock::now();
}

bool is_refusal(const resp_reply& reply) {
  return reply.is_error("CLUSTERDOWN") || reply.is_error("BUSY");
}

// Reads are asked again until they are answered. Lost if that takes too long.
std::vector<resp_reply> read_all(const endpoint& node, const std::vector<std::vector<std::string>>& commands) {
  const auto deadline = now() + judge_patience;
  resp_client client;
  while (true) {
    if (!client.is_open())
      client = resp_client::connect(node, 1s);
    auto replies = client.call_all(commands, answer_patience);
    const bool is_done =
        std::none_of(replies.begin(), replies.end(), [](const auto& r) { return r.is_lost() || is_refusal(r); });
    if (is_done || now() > deadline)
      return replies;
    std::this_thread::sleep_for(20ms);
  }
}

} // namespace

token_client::token_client(unsigned number, std::vector<endpoint> nodes, std::uint64_t seed)
    : number_{number}, nodes_{std::move(nodes)}, at_{number % nodes_.size()},
      is_roving_{number / nodes_.size() % 2 == 1}, dice_{seed * 1000 + number} {}

std::uint64_t token_client::below(std::uint64_t end) {
  return std::uniform_int_distribution<std::uint64_t>{0, end - 1}(dice_);
}

std::string token_client::stored_key(std::uint64_t token) const {
  return "key:" + std::to_string(number_) + ":" + std::to_string(token);
}

void token_client::complain(const std::string& what) {
  complaints_.push_back("client " + std::to_string(number_) + " at " + to_string(nodes_[at_]) + ": " + what);
}

bool token_client::is_connected() {
  if (client_.is_open())
    return true;
  if (is_roving_)
    at_ = (at_ + 1) % nodes_.size();
  client_ = resp_client::connect(nodes_[at_], 1s);
  return client_.is_open();
}

void token_client::run(std::stop_token stopped, std::atomic<std::uint64_t>& acknowledged) {
  // The pauses leave the machine to the nodes, and keep the logs short that they read when they start.
  while (!stopped.stop_requested()) {
    if (!is_connected())
      std::this_thread::sleep_for(20ms);
    else if (below(64) == 0)
      read_back();
    else
      write_some(below(4) != 0, number_ % 2 == 0 ? 1 : 1 + below(most_at_once), acknowledged);
    std::this_thread::sleep_for(std::chrono::microseconds{below(8000)});
  }
}

void token_client::write_some(bool is_append, std::uint64_t count, std::atomic<std::uint64_t>& acknowledged) {
  auto& ledger = is_append ? appended_ : stored_;
  const auto before = ledger.acknowledged();
  const auto refused_before = ledger.refused();
  const auto first = ledger.asked();
  std::vector<std::vector<std::string>> commands;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto token = ledger.asks();
    if (is_append)
      commands.push_back({"APPEND", log_key(), std::to_string(token) + ","});
    else
      commands.push_back({"SET", stored_key(token), std::to_string(token)});
  }
  const auto began = now();
  const auto replies = client_.call_all(commands, answer_patience);
  for (std::uint64_t i = 0; i < count; ++i)
    take_in(ledger, first + i, replies[i]);
  if (replies.back().is_lost() && now() - began >= answer_patience)
    complain("no answer to a write in " + std::to_string(answer_patience / 1s) + " s");
  acknowledged += ledger.acknowledged() - before;
  if (ledger.refused() == refused_before)
    return;
  if (is_roving_)
    client_.close();
  std::this_thread::sleep_for(20ms);
}

void token_client::take_in(token_ledger& ledger, std::uint64_t token, const resp_reply& reply) {
  if (reply.is_ok())
    ledger.is_acknowledged(token);
  else if (reply.what == resp_reply::kind::integer)
    ledger.is_acknowledged(token, static_cast<std::uint64_t>(reply.number));
  else if (is_refusal(reply))
    ledger.is_refused(token);
  else if (!reply.is_lost() && !reply.is_error("UNCERTAIN"))
    complain("a write is answered with '" + reply.text + "'");
}

void token_client::read_back() {
  const auto reply = client_.call({"GET", log_key()}, answer_patience);
  if (reply.what == resp_reply::kind::bulk || reply.what == resp_reply::kind::null)
    judge_log(reply.text, to_string(nodes_[at_]) + " in between", complaints_);
  else if (!reply.is_lost() && !is_refusal(reply))
    complain("a read is answered with '" + reply.text + "'");
}

void token_client::judge_log(const std::string& text, const std::string& where, std::vector<std::string>& wrong) const {
  const auto words = log_key() + " read at " + where + ": ";
  const auto found = parse_tokens(text);
  if (!found) {
    wrong.push_back(words + "holds something that is no list of tokens");
    return;
  }
  for (const auto& each : appended_.judge(*found))
    wrong.push_back(words + each);
}

bool token_client::judge_at(const endpoint& node, std::vector<std::string>& wrong) const {
  const auto where = to_string(node);
  const auto log = read_all(node, {{"GET", log_key()}}).front();
  if (log.what == resp_reply::kind::bulk || log.what == resp_reply::kind::null)
    judge_log(log.text, where, wrong);
  else {
    wrong.push_back(log_key() + " cannot be read at " + where + ": " + log.text);
    return false;
  }
  std::vector<found_token> found;
  for (std::uint64_t first = 0; first < stored_.asked(); first += keys_at_once) {
    std::vector<std::vector<std::string>> commands;
    for (auto token = first; token < std::min<std::uint64_t>(first + keys_at_once, stored_.asked()); ++token)
      commands.push_back({"GET", stored_key(token)});
    const auto replies = read_all(node, commands);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (replies[i].what == resp_reply::kind::bulk && replies[i].text == std::to_string(first + i))
        found.push_back({first + i, 0});
      else if (replies[i].what != resp_reply::kind::null)
        wrong.push_back(stored_key(first + i) + " is read at " + where + " as '" + replies[i].text + "'");
    }
  }
  for (const auto& each : stored_.judge(found))
    wrong.push_back("key:" + std::to_string(number_) + ":* read at " + where + ": " + each);
  return true;
}

token_load::token_load(const std::vector<endpoint>& nodes, unsigned clients, std::uint64_t seed) : nodes_{nodes} {
  for (unsigned i = 0; i < clients; ++i)
    clients_.push_back(std::make_unique<token_client>(i, nodes, seed));
  for (const auto& each : clients_)
    threads_.emplace_back(
        [this, client = each.get()](std::stop_token stopped) { client->run(stopped, acknowledged_); });
}

bool token_load::is_served(duration patience) const {
  const auto deadline = now() + patience;
  const auto enough = acknowledged_ + clients_.size() * most_at_once + 1;
  while (acknowledged_ < enough) {
    if (now() > deadline)
      return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

void token_load::stop() {
  for (auto& each : threads_)
    each.request_stop();
  threads_.clear();
}

std::string token_load::judge() {
  stop();
  std::vector<std::string> wrong;
  auto asked = nodes_; // Without those that do not answer: one wait for each is enough.
  for (const auto& each : clients_) {
    const auto& own = each->complaints();
    wrong.insert(wrong.end(), own.begin(),
                 own.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(own.size(), 5)));
    std::erase_if(asked, [&](const auto& node) { return !each->judge_at(node, wrong); });
  }
  std::string words;
  for (const auto& each : wrong)
    words += each + "\n";
  return words;
}

std::string token_load::tally() const {
  std::uint64_t asked = 0;
  std::uint64_t refused = 0;
  std::uint64_t known = 0;
  for (const auto& each : clients_) {
    for (const auto* ledger : {&each->appended(), &each->stored()}) {
      asked += ledger->asked();
      known += ledger->acknowledged();
      refused += ledger->refused();
    }
  }
  return std::to_string(asked) + " tokens: " + std::to_string(known) + " acknowledged, " + std::to_string(refused)
      + " refused, " + std::to_string(asked - known - refused) + " of unknown outcome";
}

} // namespace troupe
