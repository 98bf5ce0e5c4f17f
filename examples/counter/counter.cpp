// A replicated, durable counter of three nodes. Start each in a terminal of its own:
//
//     counter 1 DIR    counter 2 DIR    counter 3 DIR
//
// Then type into any: a number is added, a bare Enter asks for the value. Kill what you like: two of three go on.
#include <troupe/node.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

class counter final : public troupe::state_machine {
public:
  std::size_t apply(std::span<const troupe::command> commands, troupe::answer_list& answers) override {
    for (const auto& each : commands) {
      value_ += std::atoll(std::string{each.content}.c_str());
      answers.add(std::to_string(value_));
    }
    return commands.size();
  }

  void query(std::string_view, troupe::answer_list& answers) override { answers.add(std::to_string(value_)); }

  std::unique_ptr<troupe::state_view> save() override { return troupe::view_of(std::to_string(value_)); }
  void load(troupe::chunk_source& chunks) override { value_ = std::atoll(troupe::read_all(chunks).c_str()); }

private:
  long long value_ = 0;
};

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: counter ID DIR [FIRST-PORT]      ID is 1, 2 or 3; node ID keeps its log in DIR/ID\n";
    return 2;
  }
  const auto first_port = argc > 3 ? std::stoi(argv[3]) : 7201;
  troupe::node_config config;
  config.id = troupe::peer_id{std::stoul(argv[1])};
  for (const auto id : {1, 2, 3})
    config.peers[troupe::peer_id(id)] = "127.0.0.1:" + std::to_string(first_port + id - 1);
  config.data_directory = std::string{argv[2]} + "/" + argv[1];
  config.cluster = "counter";
  troupe::node node{config, std::make_shared<counter>()};
  for (std::string line; std::getline(std::cin, line);) {
    const auto outcome = (line.empty() ? node.read("") : node.submit(line)).get();
    std::cout << (outcome.is_answered() ? outcome.answer : std::string{troupe::in_words(*outcome.refused)}) << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << "counter: " << error.what() << '\n';
  return 1;
}
