#include "tests/support/clients.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr int clients_per_server = 2;

course_options counting(course_options options, client_ledger& ledger) {
  options.machine_of = [&ledger](int server, std::shared_ptr<state_machine> delivering) {
    return make_counting_machine(ledger, server, std::move(delivering));
  };
  return options;
}

void print(const client_ledger& ledger) {
  for (const auto what : {operation::command, operation::query}) {
    const auto sum = ledger.tally(what);
    std::printf("%s: %llu asked, %llu answered, %llu cut off", what == operation::command ? "  commands" : "  queries",
                static_cast<unsigned long long>(sum.asked), static_cast<unsigned long long>(sum.answered),
                static_cast<unsigned long long>(sum.cut_off));
    for (const auto& [why, count] : sum.refused)
      std::printf(", %llu %s", static_cast<unsigned long long>(count), name_of(why).data());
    std::printf("\n");
  }
}

client_actor::behavior_type play_client(client_actor::pointer, client_ledger* ledger, client_ledger::connection id,
                                        const stage_runtime* runtime) {
  return {
      [=](const submission_accepted& m) { ledger->is_accepted(id, m.number); },
      [=](const submission_answered& m) { ledger->is_answered(id, m.number, m.offset, *m.answers, runtime->now()); },
      [=](const submission_refused& m) { ledger->is_refused(id, m.number, m.offset, m.why, runtime->now()); },
  };
}

} // namespace

client_group::client_group(std::uint64_t seed, course_options options)
    : peers_{options.peers}, group_{seed, counting(std::move(options), ledger_)} {
  ledger_.on_broken = [this](const std::string& what) {
    group_.runtime().judge().fail("at " + std::to_string(group_.runtime().milliseconds()) + " ms: " + what);
  };
  ledger_.patience = patience();
}

client_group::client& client_group::client_at(int server, int which) {
  auto& found = clients_[{server, which}];
  if (found.id != 0)
    return found;
  found.id = ++last_connection_;
  found.actor = group_.runtime().system().spawn(play_client, &ledger_, found.id, &std::as_const(group_.runtime()));
  group_.runtime().adopt(caf::actor_cast<caf::strong_actor_ptr>(found.actor));
  return found;
}

void client_group::submit(int server, operation what, int count, std::size_t padding) {
  if (!lives(server))
    return;
  auto& from = client_at(server, group_.random(clients_per_server));
  const auto number = ++from.last_number;
  auto block = ledger_.asks(from.id, number, what, static_cast<std::uint32_t>(count), padding, group_.runtime().now());
  group_.runtime().tell(group_.node(server).peer(), troupe::submit{from.actor, number, what, std::move(block)});
}

void client_group::submit_anything(int server) {
  if (group_.chance().chance(60))
    command(server, 1 + group_.random(10), group_.chance().below(40));
  else
    query(server, 1 + group_.random(4));
}

void client_group::crash(int server) {
  if (!group_.node(server).alive())
    return;
  group_.crash(server);
  for (int which = 0; which < clients_per_server; ++which)
    if (const auto gone = clients_.extract({server, which}); !gone.empty()) {
      ledger_.is_cut_off(gone.mapped().id);
      group_.runtime().kill(caf::actor_cast<caf::strong_actor_ptr>(gone.mapped().actor));
    }
  stopped_.erase(server);
}

void client_group::restart(int server) {
  crash(server);
  group_.restart(server);
  group_.connect(server);
}

void client_group::stop(int server) {
  group_.runtime().tell(group_.node(server).peer(), stop_peer{});
  stopped_.insert(server);
}

void client_group::heal() {
  group_.network().set_reliable(true);
  group_.network().set_long_reordering(false);
  group_.network().lose_requests(nullptr);
  for (int server = 0; server < group_.servers(); ++server) {
    group_.node(server).valve().open();
    if (!group_.node(server).alive())
      group_.restart(server);
    group_.disconnect(server);
  }
  group_.connect_all();
}

duration client_group::patience() const {
  return peers_.client_deadline + peers_.times.election_timeout_min + peers_.times.heartbeat;
}

void client_group::wait_for_all() {
  auto& runtime = group_.runtime();
  const bool ended = runtime.run_until(runtime.now() + patience(), [this] { return ledger_.all_have_ended(); });
  group_.expect(ended, ledger_.describe_open() + " has no end");
}

void client_group::end() {
  heal();
  wait_for_all();
  for (int server = 0; server < group_.servers(); ++server)
    if (!lives(server)) // It was stopped, for good.
      restart(server);
  const auto leader = group_.check_one_leader();
  group_.sleep(milliseconds{200}); // All know it by then.
  const auto served = ledger_.tally(operation::command).answered + ledger_.tally(operation::query).answered;
  for (int server = 0; server < group_.servers(); ++server) {
    command(server, 1);
    query(server);
  }
  wait_for_all();
  const auto now_served = ledger_.tally(operation::command).answered + ledger_.tally(operation::query).answered;
  group_.expect(group_.check_one_leader() != leader
                    || now_served == served + 2 * static_cast<std::uint64_t>(group_.servers()),
                "a group that has healed does not serve");
  group_.sleep(milliseconds{500});
  for (int server = 0; server < group_.servers(); ++server)
    group_.expect(ledger_.applied_by(server) == ledger_.applied(),
                  "server " + std::to_string(server) + " has not applied all");
  if (std::getenv("TROUPE_STATISTICS") != nullptr)
    print(ledger_);
  group_.end();
}

} // namespace troupe
