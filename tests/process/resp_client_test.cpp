#include "tests/process/program.hpp"

#include "app/resp_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

using namespace troupe;
using namespace std::chrono_literals;
using kind = resp_reply::kind;

namespace {

// A server that says what it was told to, whatever it hears.
class canned_server {
public:
  canned_server() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    at_ = {"127.0.0.1", ntohs(address.sin_port)};
  }
  ~canned_server() {
    hang_up();
    ::close(listener_);
  }
  canned_server(const canned_server&) = delete;
  canned_server& operator=(const canned_server&) = delete;

  [[nodiscard]] const endpoint& at() const { return at_; }

  void say(const std::string& bytes) {
    if (connection_ < 0)
      connection_ = ::accept(listener_, nullptr, nullptr);
    REQUIRE(::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }

  void hang_up() {
    if (connection_ >= 0) {
      ::shutdown(connection_, SHUT_WR); // Not a reset: what was said must arrive.
      ::close(std::exchange(connection_, -1));
    }
  }

private:
  int listener_ = -1;
  int connection_ = -1;
  endpoint at_;
};

} // namespace

TEST_CASE("The client understands every kind of reply, in the order of its commands") {
  canned_server server;
  auto client = resp_client::connect(server.at(), 1s);
  REQUIRE(client.is_open());
  server.say(
      "+OK\r\n-ERR no such thing\r\n:-42\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n*-1\r\n");
  auto replies = client.call_all(std::vector<std::vector<std::string>>(8, {"ANY"}), 1s);
  REQUIRE(replies.size() == 8);
  CHECK(replies[0].is_ok());
  CHECK(replies[1].is_error("ERR"));
  CHECK(replies[1].text == "ERR no such thing");
  CHECK(replies[2].number == -42);
  CHECK(replies[3].text == "a\r\nbc");
  CHECK(replies[4].what == kind::null);
  CHECK(replies[5].what == kind::bulk);
  CHECK(replies[5].text.empty());
  REQUIRE(replies[6].elements.size() == 2);
  CHECK(replies[6].elements[1].elements.at(0).text == "x");
  CHECK(replies[7].what == kind::null);
  CHECK(client.is_open());
}

TEST_CASE("From the first answer that is lost, all are, and the client says why") {
  canned_server server;
  auto client = resp_client::connect(server.at(), 1s);
  server.say("+OK\r\n$10\r\nonly");
  server.hang_up();
  auto replies = client.call_all({{"A"}, {"B"}, {"C"}}, 1s);
  CHECK(replies[0].is_ok());
  CHECK(replies[1].is_lost());
  CHECK(replies[2].is_lost());
  CHECK_FALSE(replies[2].text.empty());
  CHECK_FALSE(client.is_open());
  CHECK(client.call({"D"}, 1s).is_lost());
}

TEST_CASE("The client waits no longer than it was told to") {
  canned_server server;
  auto client = resp_client::connect(server.at(), 1s);
  auto began = std::chrono::steady_clock::now();
  auto reply = client.call({"PING"}, 50ms);
  CHECK(reply.is_lost());
  CHECK(reply.text == "no answer in time");
  CHECK(std::chrono::steady_clock::now() - began >= 50ms);
}

TEST_CASE("What does not speak RESP is told from what does") {
  for (std::string noise : {"HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "$x\r\n", "$-2\r\n", "$99999999999999\r\n",
                            ":\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    canned_server server;
    auto client = resp_client::connect(server.at(), 1s);
    server.say(noise);
    auto reply = client.call({"PING"}, 1s);
    CAPTURE(noise);
    CHECK(reply.is_lost());
    CHECK(reply.text == "what answers there does not speak RESP");
  }
}

TEST_CASE("Status tells a silent node (4) from one that answers with something else (1)") {
  struct row {
    std::string said;
    int code;
    std::string words;
  };
  for (const auto& each :
       {row{"-ERR unknown command 'TROUPE'\r\n", 1, "unknown command"}, row{"$2\r\n{}\r\n", 1, "is not a troupe node"},
        row{"+OK\r\n", 1, "is not a troupe node"}, row{"", 4, "no answer in time"}}) {
    canned_server server;
    scratch_directory scratch;
    std::string why;
    auto status = child_process::start(troupe_program, {"status", "--at", to_string(server.at()), "--timeout", "2s"},
                                       scratch / "err", {}, why);
    REQUIRE_MESSAGE(status, why);
    server.say(each.said);
    auto end = status->wait(20s);
    REQUIRE(end);
    CHECK(end->code == each.code);
    CHECK_MESSAGE(contents(scratch / "err").find(each.words) != std::string::npos, contents(scratch / "err"));
  }
}
