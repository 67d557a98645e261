// The gene tables of all devices, summed on the host and finished as host/cpu finishes its own.
#pragma once
#include <memory>

#include "cuda/gene_memory.hpp"
#include "host/core/backend.hpp"

namespace quern::cuda {

class GeneSums {
 public:
  virtual ~GeneSums() = default;
  virtual void add(const std::byte* tables) = 0;  // a device's, as GeneMemory::download left them
  virtual ColumnResults finish(std::int64_t n_rows) const = 0;
};

std::unique_ptr<GeneSums> make_gene_sums(const PassSpec& pass);
std::size_t gene_sums_bytes(const PassSpec& pass);  // that it holds

}  // namespace quern::cuda
