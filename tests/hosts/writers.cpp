#include "tests/hosts/writers.hpp"

#include <map>
#include <sstream>

namespace troupe::testing {

namespace {

constexpr duration answer_patience = 3s;

std::map<std::uint64_t, int> numbers_in(const std::string& list) {
  std::map<std::uint64_t, int> times;
  std::istringstream in{list};
  for (std::uint64_t number = 0; in >> number;)
    ++times[number];
  return times;
}

} // namespace

std::string what_is_wrong(const writing_record& known, const std::string& list) {
  const auto times = numbers_in(list);
  std::string words;
  const auto complain = [&](std::uint64_t number, const char* what) {
    words += known.key + ": " + std::to_string(number) + " " + what + "\n";
  };
  for (const auto number : known.acknowledged)
    if (!times.contains(number))
      complain(number, "was acknowledged and is lost");
  for (const auto& [number, count] : times) {
    if (count > 1)
      complain(number, "was carried out more than once");
    if (known.refused.contains(number))
      complain(number, "was refused and carried out");
    if (number == 0 || number > known.last)
      complain(number, "was never written");
  }
  for (const auto& read : known.stale)
    words += known.key + ": a stale read: " + read + "\n";
  return words;
}

writers::writers(hosted_cluster& cluster, std::size_t count) : records_(count) {
  for (std::size_t number = 0; number < count; ++number)
    threads_.emplace_back([this, &cluster, number] { write(cluster, number, records_[number]); });
}

writers::~writers() {
  (void)stop();
}

std::vector<writing_record> writers::stop() {
  stopping_ = true;
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  return records_;
}

void writers::write(hosted_cluster& cluster, std::size_t number, writing_record& record) {
  record.key = "list" + std::to_string(number);
  auto host = number % cluster.size() + 1;
  resp_client client;
  while (!stopping_) {
    if (!client.is_open())
      client = cluster.client(host);
    const auto is_read = (record.last + number) % 10 == 9 && !record.acknowledged.empty();
    const auto next = ++record.last;
    const auto reply = is_read ? client.call({"GET", record.key}, answer_patience)
                               : client.call({"APPEND", record.key, std::to_string(next) + " "}, answer_patience);
    if (is_read && reply.what == resp_reply::kind::bulk) {
      const auto times = numbers_in(reply.text);
      for (const auto known : record.acknowledged)
        if (!times.contains(known)) {
          record.stale.push_back("node " + std::to_string(host) + " did not know " + std::to_string(known));
          break;
        }
    } else if (!is_read && reply.what == resp_reply::kind::integer) {
      record.acknowledged.insert(next);
      ++acknowledged_;
    } else {
      if (!is_read && (reply.is_error("CLUSTERDOWN") || reply.is_error("BUSY")))
        record.refused.insert(next);
      host = host % cluster.size() + 1;
      client.close();
      ::usleep(20000); // Whoever is refused at once does not ask again at once.
    }
  }
}

} // namespace troupe::testing
