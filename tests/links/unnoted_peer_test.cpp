// O3: whom a node met must be durable before it listens to him. A node that cannot note it ends, and has answered
// nobody.
#include "actors/running_node.hpp"
#include "tests/links/host.hpp"
#include "tests/links/raw_end.hpp"
#include "troupe/state_machine.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <future>
#include <unistd.h>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Is never asked for anything: this node never leads.
class idle_machine final : public state_machine {
public:
  std::size_t apply(std::span<const command> commands, answer_list&) override { return commands.size(); }
  void query(std::string_view, answer_list&) override {}
  std::unique_ptr<state_view> save() override { return view_of(""); }
  void load(chunk_source&) override {}
};

} // namespace

TEST_CASE("O3: a node whose disk fails as it notes whom it met ends, and has not said that it knows him") {
  auto name = (std::filesystem::temp_directory_path() / "troupe-links-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const std::filesystem::path place{name};
  const auto files = real_file_system();
  std::promise<node_end> end;
  auto ended = end.get_future();
  {
    node_system_config config;
    caf::actor_system system{config};
    node_options options;
    options.cluster = "test";
    options.self = peer_id{1};
    options.peers = {{peer_id{1}, {"127.0.0.1", 0}}, {peer_id{2}, {"127.0.0.1", free_port()}}};
    options.listen = {"127.0.0.1", 0};
    options.data_directory = place / "1";
    options.segment_bytes = std::size_t{1} << 20;
    options.fresh_uuid = disk(1);
    running_node one{system, *files, options, std::make_shared<idle_machine>(),
                     [&](const node_end& why) { end.set_value(why); }};
    // What is to take the place of the file cannot be made: something else has its name.
    std::filesystem::create_directory(place / "1" / "identity.tmp");
    auto stranger = raw_end::dial(one.bound().port);
    REQUIRE(stranger.say(link_frame::hello, encode(introduce({"test", peer_id{2}, disk(2), 1, {20}}, peer_id{1}))));
    REQUIRE(ended.wait_for(patience) == std::future_status::ready);
    const auto why = ended.get();
    CHECK(why.why == node_end::reason::failed);
    CHECK_MESSAGE(why.words.find("identity.tmp") != std::string::npos, why.words);
    CHECK_FALSE(stranger.hears_within(200ms));
    one.stop();
    one.await_end();
  }
  std::filesystem::remove_all(place);
}
