// Writes a first corpus with the program's own encoders: fuzz_seeds DIR makes DIR/TARGET/*.
#include "actors/link/frame.hpp"
#include "actors/link/hello.hpp"
#include "app/kv/reply.hpp"
#include "app/kv/store.hpp"
#include "messages/wire.hpp"
#include "persistence/log_storage.hpp"
#include "persistence/snapshot_file.hpp"
#include "persistence/vote_file.hpp"
#include "tests/fuzz/disk.hpp"
#include "tests/minds/codec_samples.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

using namespace troupe;
namespace samples = troupe::testing;

namespace {

class corpus {
public:
  corpus(const std::filesystem::path& where, const std::string& target) : folder_{where / target} {
    std::filesystem::create_directories(folder_);
  }

  void add(const std::string& name, std::string_view bytes) {
    std::ofstream{folder_ / name, std::ios::binary} << bytes;
  }

private:
  std::filesystem::path folder_;
};

std::string text(const std::vector<char>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string framed(const encoded_message& message) {
  std::vector<char> out;
  append_frame(out, message);
  return text(out);
}

std::string framed(link_frame type, std::string_view head) {
  std::vector<char> out;
  append_frame(out, type, head);
  return text(out);
}

hello sample_hello() {
  return introduce({"blue", peer_id{2}, {{2, 2, 2, 2}}, 9, {29, 28, 27, 26, 25, 24, 23}}, peer_id{1});
}

void write_codec(const std::filesystem::path& where) {
  corpus out{where, "codec"};
  int number = 0;
  for (const auto& message : samples::sample_messages()) {
    std::string bytes;
    wire_writer{bytes}.put(static_cast<std::uint16_t>(message.type)).put(message.group.value()).text(message.head);
    out.add("sample-" + std::to_string(number++), bytes + std::string{samples::joined(message.tail).view()});
  }
}

void write_frame(const std::filesystem::path& where) {
  corpus out{where, "frame"};
  const std::string short_limit{"\0\0", 2};
  const std::string long_limit{"\7\1", 2};
  std::string all;
  int number = 0;
  for (const auto& message : samples::sample_messages()) {
    out.add("message-" + std::to_string(number++), long_limit + framed(message));
    all += framed(message);
  }
  const auto greeting = framed(link_frame::hello, encode(sample_hello()));
  const auto parting = framed(link_frame::closing, encode_closing({link_refusal::stopping, "bye"}));
  out.add("hello", short_limit + greeting + framed(link_frame::ping, "12345678"));
  out.add("conversation", long_limit + greeting + all + parting);
}

void write_hello(const std::filesystem::path& where) {
  corpus out{where, "hello"};
  auto words = sample_hello();
  out.add("known", encode(words));
  words.boot = 4;
  words.lives = {24, 23};
  out.add("later-life", encode(words));
  words.lives = {34, 33, 22};
  out.add("older-copy", encode(words));
  words.boot = 90;
  words.lives.assign(lives_kept, 7);
  out.add("many-lives", encode(words));
  words.disk = {{8, 8}};
  out.add("wiped", encode(words));
  words.from = peer_id{3};
  words.disk = {{2, 2, 2, 2}};
  out.add("copied", encode(words));
  words.from = peer_id{1};
  out.add("own-id", encode(words));
  words.from = peer_id{9};
  out.add("stranger", encode(words));
  words.to = peer_id{5};
  out.add("wrong-address", encode(words));
  words.role = link_role::client;
  out.add("client", encode(words));
  words.cluster = "green";
  out.add("other-cluster", encode(words));
  words.version = 2;
  out.add("other-version", encode(words));
  for (const auto why : {link_refusal::not_a_peer, link_refusal::role_not_served, link_refusal::stopping})
    out.add("closing-" + std::to_string(static_cast<int>(why)), encode_closing({why, "words"}));
}

const std::vector<std::string> lines{"PING\r\n",
                                     "SET k 'v w' NX GET\r\n",
                                     "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                                     "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\na\r\n\r\n",
                                     "INCRBY n 5\r\nDECR n\r\nGET n\r\n",
                                     "HELLO 3\r\nMGET k none\r\nGETSET k x\r\n",
                                     "MSET k 1 n 2\r\nDEL k\r\nEXISTS k n n\r\nGET n\r\n",
                                     "INFO server\r\nTROUPE STATUS\r\nCLIENT LIST\r\n",
                                     "APPEND k \"\\x41\\n\\\"\"\r\nSTRLEN k\r\nTYPE k\r\nDBSIZE\r\n",
                                     "COMMAND DOCS get\r\nCONFIG GET *\r\nSELECT 1\r\nQUIT\r\n",
                                     "*1\r\n$-1\r\n",
                                     "*4294967295\r\n",
                                     "*1\r\n$4294967295\r\n",
                                     "\"unbalanced\r\n",
                                     "*0\r\n\r\nPING 'a\\'b'\r\n"};

void write_resp(const std::filesystem::path& where) {
  corpus parser{where, "resp_parser"};
  corpus transcript{where, "transcript"};
  corpus conversation{where, "conversation"};
  std::string every;
  std::string talk;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto name = "line-" + std::to_string(i);
    const auto how = static_cast<char>(i);
    parser.add(name, std::string{how, static_cast<char>(i % 2)} + lines[i]);
    transcript.add(name, how + lines[i]);
    if (i < 10)
      every += lines[i];
    // Either client in turn, and then one of: submit, answer, refuse, tell the status, hear.
    talk += std::string{static_cast<char>(i % 2 * 8), static_cast<char>(lines[i].size())} + lines[i];
    talk += std::string{static_cast<char>(3 + i % 5), static_cast<char>(i)};
    conversation.add(name, talk);
  }
  parser.add("every", std::string{"\3\0", 2} + every);
  std::string many = "*6\r\n"; // One more than the tight limits allow.
  for (int i = 0; i < 6; ++i)
    many += "$1\r\na\r\n";
  parser.add("many", "\3\1" + many);
  transcript.add("every", '\2' + every);
}

void write_reply(const std::filesystem::path& where) {
  corpus out{where, "reply"};
  std::string all{reply::ok};
  all += reply::null;
  reply::append_integer(all, -5);
  reply::append_bulk(all, "a\r\nb");
  reply::append_error(all, "CLUSTERDOWN no leader");
  reply::append_array(all, 2);
  reply::append_bulk(all, "");
  reply::append_array(all, 0);
  out.add("all", '\1' + all);
  out.add("nested", "\2*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
  out.add("claims", "\3*2\r\n$4294967295\r\nx");
}

std::string entry(kv::opcode code, const std::vector<std::string>& arguments) {
  std::string content;
  kv::append_opcode(content, code);
  for (const auto& each : arguments)
    kv::append_argument(content, each);
  return content;
}

void write_store(const std::filesystem::path& where) {
  corpus out{where, "store"};
  std::string delta;
  kv::append_delta(delta, -5);
  const std::vector<std::string> entries{entry(kv::opcode::set, {"k", "v"}),
                                         entry(kv::opcode::set, {"k", "w", std::string{kv::set_and_get}}),
                                         entry(kv::opcode::set_nx, {"k", "x"}),
                                         entry(kv::opcode::get_set, {"k", "y"}),
                                         entry(kv::opcode::append, {"k", "z"}),
                                         entry(kv::opcode::mset, {"n", "7", "k", "1"}),
                                         entry(kv::opcode::add, {"n"}) + delta,
                                         entry(kv::opcode::get, {"n"}),
                                         entry(kv::opcode::exists, {"n", "n", "x"}),
                                         entry(kv::opcode::strlen, {"k"}),
                                         entry(kv::opcode::mget, {"k", "none"}),
                                         entry(kv::opcode::type, {"k"}),
                                         entry(kv::opcode::dbsize, {}),
                                         entry(kv::opcode::del, {"k"})};
  std::string all;
  kv::store machine;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto framed = static_cast<char>(entries[i].size()) + entries[i];
    out.add("entry-" + std::to_string(i), std::string(2, '\0') + framed);
    all += framed;
    answer_list answers;
    const command one{log_index{1}, term_number{1}, 0, 0, entries[i]};
    static_cast<void>(machine.apply({&one, 1}, answers));
  }
  out.add("all", std::string(2, '\0') + all);
  // One key is left of those; a few more make an order.
  const command more{log_index{1}, term_number{1}, 0, 0, "\7\1a\0011\1b\0012\2ab\0013"};
  answer_list answers;
  static_cast<void>(machine.apply({&more, 1}, answers));
  const auto snapshot = machine.save()->next_chunk();
  out.add("snapshot", "\1\2" + snapshot);
  out.add("snapshot-opened", "\3\2" + snapshot.substr(20));
}

void write_snapshot_files(const std::filesystem::path& where) {
  corpus out{where, "snapshot"};
  for (const std::size_t size : {0, 1, 512, 1300}) {
    simulated_disk disk{1};
    disk.make_directories("d");
    snapshot_header header{fuzz::owner, group_id{1}, {term_number{2}, log_index{3}}, 4};
    header.chunk_bytes = 512;
    const auto sink = write_snapshot(disk, "d/s", "d/s.tmp", header);
    sink->append(std::string(size, 'c'));
    sink->finish();
    for (const char what : {0, 2, 7})
      out.add(std::to_string(size) + "-" + std::to_string(what), std::string{what, '\5'} + disk.contents("d/s"));
  }
}

void write_votes(const std::filesystem::path& where) {
  corpus out{where, "votes"};
  simulated_disk disk{1};
  disk.make_directories("d");
  vote_file file{disk, "d", fuzz::owner, true};
  file.put(group_id{0}, {term_number{3}, peer_id{1}});
  file.put(group_id{5}, {term_number{4}, nobody});
  file.flush();
  // The first two slots of each half; the rest is unused.
  const auto bytes = disk.contents("d/votes");
  const auto half = bytes.substr(4096, 2 * fuzz::sector);
  for (const char what : {0, 7, 15, 31, 63})
    out.add(std::to_string(what), what + bytes.substr(0, fuzz::sector) + half + half);
}

void write_hint(const std::filesystem::path& where) {
  corpus out{where, "hint"};
  const auto copy = fuzz::hint_bytes(5, 1, 2).substr(0, fuzz::sector);
  for (const char what : {0, 1, 2, 7, 15})
    out.add(std::to_string(what), what + copy + copy);
  out.add("one", '\6' + copy + std::string(copy.size(), 'x'));
}

entry_batch batch(std::uint64_t term, std::uint64_t first, std::initializer_list<std::string> contents) {
  entry_block_builder block;
  for (const auto& each : contents)
    block.add(entry_kind::command, each);
  return entry_batch::stamp(block.take(), term_number{term}, log_index{first}, 1);
}

void write_log(const std::filesystem::path& where) {
  corpus out{where, "log"};
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", {4096, false, fuzz::owner}};
    const auto submit = [&log](log_write write) { log.submit({std::move(write)}, [] {}); };
    submit({group_id{0}, hard_state{term_number{3}, nobody}, std::nullopt, {batch(1, 1, {"a", "bb", "ccc"})}});
    submit({group_id{0}, std::nullopt, log_index{3}, {batch(2, 3, {"d"}), batch(3, 4, {""})}});
    submit({group_id{5}, hard_state{term_number{2}, nobody}, std::nullopt, {batch(2, 1, {std::string(600, 'e')})}});
    auto start = log_write{group_id{0}, std::nullopt, std::nullopt, {batch(3, 5, {"f"})}};
    start.start = log_start{{term_number{1}, log_index{2}}, 1, log_index{2}};
    submit(start);
    submit({group_id{5}, std::nullopt, std::nullopt, {batch(2, 2, {std::string(3000, 'g')})}});
    submit({group_id{0}, std::nullopt, std::nullopt, {batch(3, 6, {"h"})}});
  }
  std::string segments;
  for (const auto number : {1u, 2u}) {
    auto bytes = disk.contents("d/log/" + segment_name(number));
    bytes.resize(bytes.find_last_not_of('\0') + 1);
    std::string size;
    wire_writer{size}.put(static_cast<std::uint16_t>(bytes.size()));
    segments += size + bytes;
    const auto alone = size + bytes;
    if (number == 1)
      for (const char what : {3, 7, 15}) {
        out.add("one-" + std::to_string(what), std::string{what, '\0', '\0', '\1', '\1'} + alone);
        out.add("cut-" + std::to_string(what), std::string{what, '\0', '\0', '\1', '\1'} + alone.substr(0, 900));
      }
  }
  for (const char what : {0, 3, 7, 15})
    for (const char durable : {0, 5})
      out.add("two-" + std::to_string(what) + "-" + std::to_string(durable),
              std::string{what, '\1', durable, '\1', '\2'} + segments);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds DIR\n";
    return 2;
  }
  const std::filesystem::path where{argv[1]};
  write_codec(where);
  write_frame(where);
  write_hello(where);
  write_resp(where);
  write_reply(where);
  write_store(where);
  write_snapshot_files(where);
  write_votes(where);
  write_hint(where);
  write_log(where);
}
