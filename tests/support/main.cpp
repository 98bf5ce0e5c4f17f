#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>
#include <vector>

/// doctest's own main, with two words more for stories: `--seed N` plays one seed, `--seeds N` plays 1 to N. Tests read
/// them from TROUPE_SEED and TROUPE_SEEDS, which say the same.
int main(int argc, char** argv) {
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if ((word == "--seed" || word == "--seeds") && i + 1 < argc)
      setenv(word == "--seed" ? "TROUPE_SEED" : "TROUPE_SEEDS", argv[++i], 1);
    else
      rest.push_back(argv[i]);
  }
  doctest::Context context{static_cast<int>(rest.size()), rest.data()};
  return context.run();
}
