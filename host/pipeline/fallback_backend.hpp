// A backend that another one stands in for, as long as no chunk has been computed.
#pragma once
#include <memory>

#include "host/core/backend.hpp"

namespace quern {

// Where `first` fails with a device or resources Error before its first chunk, `second` takes its place for good and warnings() says so
// ("fell-back"). Later errors are the caller's.
std::unique_ptr<Backend> make_fallback_backend(std::unique_ptr<Backend> first, std::unique_ptr<Backend> second);

}  // namespace quern
