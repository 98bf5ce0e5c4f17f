// Plays the bank on the stage. Exit code 0: no promise was broken; 1: one was; 2: it cannot play like that.
#include "bank_workload.hpp"

#include <troupe/stage.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>

namespace {

struct wishes {
  bug planted = bug::none;
  bool tells = false;
  troupe::stage_options stage;
};

[[noreturn]] void show_usage() {
  std::cerr
      << "usage: bank_on_stage [--bug order|save|overdraw] [--seed N] [--seeds N] [--seconds N] [--plan FILE]\n"
         "                     [--out DIR] [--tell]        (--tell: the story of the first seed, whatever happens)\n";
  std::exit(2);
}

wishes read_flags(int argc, char** argv) {
  static const std::map<std::string, bug> bugs{{"order", bug::order}, {"save", bug::save}, {"overdraw", bug::overdraw}};
  wishes read;
  read.stage.seeds = 20;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--tell") {
      read.tells = true;
      continue;
    }
    if (++i == argc)
      show_usage();
    const std::string value = argv[i];
    if (flag == "--bug" && bugs.contains(value))
      read.planted = bugs.at(value);
    else if (flag == "--seed")
      read.stage.first_seed = std::stoull(value);
    else if (flag == "--seeds")
      read.stage.seeds = std::stoull(value);
    else if (flag == "--seconds")
      read.stage.lasts = std::chrono::seconds{std::stoi(value)};
    else if (flag == "--plan")
      read.stage.plan_file = value;
    else if (flag == "--out")
      read.stage.directory = value;
    else
      show_usage();
  }
  return read;
}

} // namespace

int main(int argc, char** argv) try {
  const auto [planted, tells, stage] = read_flags(argc, argv);
  const auto clients = [planted = planted] { return make_bank_workload(planted); };
  if (tells) {
    std::cout << troupe::tell_first_seed(clients, stage);
    return 0;
  }
  const auto outcome = troupe::simulate(clients, stage);
  std::cout << troupe::to_string(outcome);
  return outcome.found ? 1 : 0;
} catch (const std::exception& error) {
  std::cerr << "bank_on_stage: " << error.what() << '\n';
  return 2;
}
