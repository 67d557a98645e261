#include "io/hdf5/heap_strings.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "host/core/error.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::io {
namespace {

// Short and long ones, empty ones, text that is not ASCII: more than fit into one collection of the heap.
std::vector<std::string> texts(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i)
    out.push_back(i % 7 == 3 ? std::string() : "gène-" + std::to_string(i) + std::string(i % 50 == 0 ? 9000U : 0U, 'x'));
  return out;
}

struct Layout {
  const char* name;
  hsize_t user_block, chunk;
  bool filters;
};

class HeapStringsIn : public testing::TestWithParam<Layout> {};

hid_t variable_text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

void write_texts(hid_t file, const std::vector<std::string>& values, const Layout& layout) {
  const hsize_t size = values.size();
  const hid_t type = variable_text_type(), space = H5Screate_simple(1, &size, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  if (layout.chunk) H5Pset_chunk(creation, 1, &layout.chunk);
  if (layout.filters) {
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 4);
  }
  const hid_t dataset = H5Dcreate2(file, "/texts", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::vector<const char*> pointers;
  for (const std::string& value : values) pointers.push_back(value.c_str());
  ASSERT_GE(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), 0);
  H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
}

void expect_texts(const std::string& path, const std::vector<std::string>& expected) {
  const Hdf5File file(path);
  const Dataset dataset = open_described(file, "/texts");
  const auto strings = HeapStrings::open(file, dataset);
  ASSERT_NE(strings, nullptr);
  const auto n = static_cast<std::int64_t>(expected.size());
  for (const RowRange range : {RowRange{0, n}, RowRange{1, 2}, RowRange{n / 3, n}, RowRange{0, n / 2}, RowRange{n, n}}) {
    std::vector<std::string> found{"left over"};
    strings->read(range, found);
    EXPECT_EQ(found, std::vector<std::string>(expected.begin() + range.first, expected.begin() + range.last));
  }
}

TEST_P(HeapStringsIn, ReadsWhatHdf5Wrote) {
  const test::TempFolder folder;
  const std::vector<std::string> values = texts(5000);
  {
    const test::H5Builder builder(folder / "a.h5", GetParam().user_block);
    write_texts(builder.file(), values, GetParam());
  }
  expect_texts(folder / "a.h5", values);
}

INSTANTIATE_TEST_SUITE_P(Layouts, HeapStringsIn,
                         testing::Values(Layout{"contiguous", 0, 0, false}, Layout{"user_block", 1024, 0, false},
                                         Layout{"chunks", 0, 300, false}, Layout{"filters", 512, 4000, true}),
                         [](const auto& tested) { return tested.param.name; });

// The places of the heap in a file, damaged one after the other.
struct Damage {
  const char* name;
  std::function<void(std::string& bytes)> apply;
  const char* says = "";
};
class HeapStringsDamaged : public testing::TestWithParam<Damage> {};

TEST_P(HeapStringsDamaged, IsAnError) {
  const test::TempFolder folder;
  const std::string path = folder / "a.h5";
  { test::H5Builder(path).strings("/texts", {"one", "two", "three"}); }
  std::string bytes = test::file_contents(path);
  GetParam().apply(bytes);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  const Hdf5File file(path);
  const Dataset dataset = open_described(file, "/texts");
  std::vector<std::string> found;
  try {
    HeapStrings::open(file, dataset)->read({0, 3}, found);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "corrupt-hdf5") << error.what();
    EXPECT_EQ(error.object(), "/texts");
    EXPECT_NE(std::string(error.what()).find(GetParam().says), std::string::npos) << error.what();
  }
}

std::size_t heap_at(const std::string& bytes) { return bytes.find("GCOL"); }
// The reference to "one": length 3, the heap's address, number 1.
std::size_t reference_at(const std::string& bytes) {
  const std::uint64_t address = heap_at(bytes);
  std::string wanted("\3\0\0\0", 4);
  wanted.append(reinterpret_cast<const char*>(&address), 8);
  return bytes.find(wanted);
}

INSTANTIATE_TEST_SUITE_P(Places, HeapStringsDamaged,
                         testing::Values(Damage{"signature", [](std::string& b) { b[heap_at(b)] = 'X'; }},
                                         Damage{"collection_too_small", [](std::string& b) { b.replace(heap_at(b) + 8, 8, 8, '\0'); }},
                                         Damage{"collection_too_large", [](std::string& b) { b[heap_at(b) + 12] = 1; }},
                                         Damage{"collection_claims_gigabytes", [](std::string& b) { b[heap_at(b) + 15] = 0x7f; }},
                                         Damage{"object_too_large", [](std::string& b) { b[heap_at(b) + 16 + 8 + 3] = 1; },
                                                "across the end"},
                                         Damage{"object_number", [](std::string& b) { b[heap_at(b) + 16] = 77; }},
                                         Damage{"length", [](std::string& b) { b[reference_at(b) + 1] = 1; }},
                                         Damage{"address", [](std::string& b) { b[reference_at(b) + 4 + 6] = 1; }},
                                         Damage{"address_negative", [](std::string& b) { b[reference_at(b) + 4 + 7] = '\x80'; }},
                                         Damage{"address_at_the_end",
                                                [](std::string& b) {
                                                  const std::uint64_t end = b.size() - 8;
                                                  b.replace(reference_at(b) + 4, 8, reinterpret_cast<const char*>(&end), 8);
                                                },
                                                "beyond the end"},
                                         Damage{"number", [](std::string& b) { b[reference_at(b) + 12] = 99; }}),
                         [](const auto& tested) { return tested.param.name; });

TEST(HeapStrings, LeavesOtherTextsToHdf5) {
  const test::TempFolder folder;
  { test::H5Builder(folder / "a.h5").fixed_strings("/fixed", {"one"}, 5).null("/null").numbers("/numbers", {1}, H5T_IEEE_F64LE); }
  const Hdf5File file(folder / "a.h5");
  for (const char* name : {"/fixed", "/null", "/numbers"}) EXPECT_EQ(HeapStrings::open(file, open_described(file, name)), nullptr) << name;
}

}  // namespace
}  // namespace quern::io
