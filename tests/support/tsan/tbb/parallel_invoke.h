// See parallel_pipeline.h.
#pragma once
#include <exception>
#include <thread>

namespace tbb {

template <class First, class Second>
void parallel_invoke(First&& first, Second&& second) {
  std::exception_ptr first_error, second_error;
  std::thread helper([&] {
    try {
      first();
    } catch (...) {
      first_error = std::current_exception();
    }
  });
  try {
    second();
  } catch (...) {
    second_error = std::current_exception();
  }
  helper.join();
  if (first_error) std::rethrow_exception(first_error);
  if (second_error) std::rethrow_exception(second_error);
}

}  // namespace tbb
