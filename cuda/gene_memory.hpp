// What a device holds for a pass beside its lanes: gene tables, gene sets, the list of how many largest.
#pragma once
#include <span>

#include "cuda/device_memory.hpp"
#include "cuda/stream.hpp"

namespace quern::cuda {

// The tables that the pass needs, one after another in one block, wherever that is.
GeneTables carve_tables(const PassSpec& pass, Carver& carver);
std::size_t table_bytes(const PassSpec& pass);

class GeneMemory {
 public:
  // Allocates, uploads and clears on the current device; `pass` comes without its pointers. Throws Error: device-memory.
  GeneMemory(const PassSpec& pass, std::span<const std::int32_t> n_largest, std::span<const std::uint32_t> gene_sets, DeviceMemory& memory);
  static std::size_t device_bytes(const PassSpec& pass);

  const PassSpec& pass() const { return pass_; }  // with its pointers
  const GeneTables& tables() const { return tables_; }
  void carry();                          // launch_carry; waits
  void download(std::byte* host) const;  // table_bytes, as carve_tables lays them out; waits

 private:
  struct Parts {
    GeneTables tables;
    std::int32_t* n_largest;
    std::uint32_t* gene_sets;
  };
  static Parts carve(const PassSpec& pass, Carver& carver);
  void fill(const Parts& parts, std::span<const std::int32_t> n_largest, std::span<const std::uint32_t> gene_sets);

  const std::string& name_;
  PassSpec pass_;
  OwnedStream stream_;
  DeviceBlock block_;
  GeneTables tables_;
};

}  // namespace quern::cuda
