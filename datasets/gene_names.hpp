// Gene symbols that look like a genome's: real names where patterns look for them (mitochondrial, ribosomal, well-known highly
// expressed ones), names in the style of the large families otherwise.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/preset.hpp"

namespace quern::datasets {

std::vector<std::string> mitochondrial_symbols(Species species);     // 13: MT-ND1 ..., mt-Nd1 ...
std::vector<std::string> ribosomal_symbols(Species species);         // RPL3 ..., Rpl3 ...
std::vector<std::string> highly_expressed_symbols(Species species);  // most abundant first

// `count` more symbols, unique among themselves and none of `taken`.
std::vector<std::string> family_symbols(Species species, std::uint64_t seed, std::size_t count, const std::vector<std::string>& taken);

}  // namespace quern::datasets
