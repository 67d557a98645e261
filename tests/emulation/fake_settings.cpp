#include "tests/emulation/fake_settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace quern::cuda::fake {
namespace {

[[noreturn]] void give_up(const std::string& word) {
  std::fprintf(stderr, "fake CUDA: cannot make sense of '%s' in QUERN_FAKE_CUDA\n", word.c_str());
  std::abort();
}

PlannedFailure parse_failure(const std::string& text) {
  std::istringstream parts(text);
  std::string kind, nth, code;
  if (!std::getline(parts, kind, ':') || !std::getline(parts, nth, ':') || !std::getline(parts, code)) give_up(text);
  return {kind, std::atoll(nth.c_str()), nth.ends_with('+'), std::atoi(code.c_str())};
}

void take_word(FakeSettings& settings, const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) give_up(word);
  const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
  if (name == "devices")
    settings.devices = std::atoi(value.c_str());
  else if (name == "memory")
    settings.memory_bytes = static_cast<std::size_t>(std::atoll(value.c_str())) << 20;
  else if (name == "pool")
    settings.pool_bytes = static_cast<std::size_t>(std::atoll(value.c_str())) << 10;
  else if (name == "driver")
    settings.driver = value;
  else if (name == "mode")
    settings.mode = value;
  else if (name == "libraries")
    settings.libraries = value;
  else if (name == "major")
    settings.major = std::atoi(value.c_str());
  else if (name == "fail")
    settings.failures.push_back(parse_failure(value));
  else if (name == "flip" && value.starts_with("copy_down:"))
    settings.flipped_copy = std::atoll(value.c_str() + 10);
  else
    give_up(word);
}

}  // namespace

FakeSettings read_fake_settings() {
  FakeSettings settings;
  if (const char* log = std::getenv("QUERN_FAKE_CUDA_LOG")) settings.log_path = log;
  const char* text = std::getenv("QUERN_FAKE_CUDA");
  std::istringstream words(text ? text : "");
  for (std::string word; std::getline(words, word, ',');) take_word(settings, word);
  return settings;
}

}  // namespace quern::cuda::fake
