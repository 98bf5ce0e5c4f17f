#include "app/sim/progress.hpp"

#include <cstdio>
#include <string>
#include <unistd.h>

namespace troupe {

namespace {

constexpr std::uint64_t bar_width = 30;

} // namespace

sim_progress::sim_progress(std::uint64_t seeds, bool is_quiet)
    : seeds_{seeds}, is_quiet_{is_quiet}, is_terminal_{::isatty(STDERR_FILENO) != 0} {}

double sim_progress::real_seconds() const {
  return std::chrono::duration<double>(clock::now() - began_).count();
}

bool sim_progress::is_due() {
  const auto now = clock::now();
  const auto pause = is_terminal_ ? std::chrono::milliseconds{200} : std::chrono::seconds{10};
  if (is_quiet_ || now - shown_ < pause)
    return false;
  shown_ = now;
  return true;
}

void sim_progress::show_shrinking(std::uint64_t seed, std::size_t faults_left, std::size_t faults_drawn,
                                  unsigned runs) {
  if (is_due())
    std::fprintf(stderr, "%sseed %llu, looking for a smaller plan: %zu of %zu faults left after %u runs%s",
                 is_terminal_ ? "\r" : "", static_cast<unsigned long long>(seed), faults_left, faults_drawn, runs,
                 is_terminal_ ? "  " : "\n");
}

void sim_progress::show(std::uint64_t done, double virtual_seconds, std::uint64_t steps, std::uint64_t violations) {
  if (!is_due())
    return;
  const auto real = real_seconds();
  std::string bar;
  if (is_terminal_) {
    const auto full = bar_width * done / seeds_;
    bar = "\r[" + std::string(full, '#') + std::string(bar_width - full, '-') + "] ";
  }
  std::fprintf(stderr, "%s%llu of %llu seeds, %.0f virtual s in %.1f s: %.0f x, %.0f messages/s, %llu violations%s",
               bar.c_str(), static_cast<unsigned long long>(done), static_cast<unsigned long long>(seeds_),
               virtual_seconds, real, virtual_seconds / real, static_cast<double>(steps) / real,
               static_cast<unsigned long long>(violations), is_terminal_ ? "  " : "\n");
}

void sim_progress::clear() const {
  if (is_terminal_ && !is_quiet_)
    std::fprintf(stderr, "\r%110s\r", "");
}

} // namespace troupe
