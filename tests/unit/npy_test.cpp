#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <functional>
#include <random>

#include "host/core/error.hpp"
#include "io/npy/npy_reader.hpp"
#include "io/npy/npy_writer.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::io {
namespace {

using test::file_contents;
using test::TempFolder;

std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// A file of version `version` with this dictionary, padded as it is, and these bytes after it.
std::string npy(int version, const std::string& dict, const std::string& data) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(version);
  text += '\0';
  const std::size_t length = dict.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) text += static_cast<char>(length >> (8 * i) & 255U);
  return text + dict + data;
}

template <class T>
std::string bytes_of_values(const std::vector<T>& values, bool swap) {
  std::string bytes;
  for (const T& value : values) {
    std::string one(sizeof(T), '\0');
    std::memcpy(one.data(), &value, sizeof(T));
    if (swap) std::reverse(one.begin(), one.end());
    bytes += one;
  }
  return bytes;
}

std::vector<double> read_all(const std::string& path) {
  NpyReader reader(path);
  std::vector<double> values(static_cast<std::size_t>(reader.n_rows() * reader.n_cols()));
  reader.read({0, reader.n_rows()}, values);
  return values;
}

class NpyTest : public testing::Test {
 protected:
  std::string file(const std::string& bytes) const {
    put(folder_ / "b.npy", bytes);
    return folder_ / "b.npy";
  }
  std::string code_of_file(const std::string& bytes) const {
    return code_of([&] { NpyReader reader(file(bytes)); });
  }
  std::string code_of_dict(const std::string& dict, std::size_t n_bytes = 48) const {
    return code_of_file(npy(1, dict, std::string(n_bytes, '\0')));
  }
  TempFolder folder_;
};

TEST_F(NpyTest, ReadsEveryVersionTypeByteOrderAndOrder) {
  const std::vector<float> floats{1, 2, 3.5F, -4, 5, 6};
  const std::vector<double> doubles{1, 2, 3.5, -4, 5, 6}, by_columns{1, 3.5, 5, 2, -4, 6};  // the same matrix of 2 x 3, read by columns
  for (int version = 1; version <= 3; ++version)
    for (const bool big : {false, true})
      for (const bool fortran : {false, true})
        for (const bool wide : {false, true}) {
          const std::string dict = std::string("{'descr': '") + (big ? ">" : "<") + (wide ? "f8" : "f4") +
                                   "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (2, 3), }";
          const std::string path = file(npy(version, dict, wide ? bytes_of_values(doubles, big) : bytes_of_values(floats, big)));
          EXPECT_EQ(read_all(path), fortran ? by_columns : doubles) << dict;
        }
}

TEST_F(NpyTest, ReadsRowsFromTheMiddle) {
  const std::vector<double> stored{0, 1, 2, 3, 4, 5, 6, 7};
  for (const bool fortran : {false, true}) {
    const std::string dict = std::string("{'descr':'<f8','fortran_order':") + (fortran ? "True" : "False") + ",'shape':(4,2)}";
    NpyReader reader(file(npy(1, dict, bytes_of_values(stored, false))));
    std::vector<double> rows(4);
    reader.read({1, 3}, rows);
    EXPECT_EQ(rows, fortran ? (std::vector<double>{1, 5, 2, 6}) : (std::vector<double>{2, 3, 4, 5}));
  }
}

TEST_F(NpyTest, ReadsMoreThanOnePiece) {
  std::vector<double> values(40'000);
  std::mt19937_64 random(7);
  for (double& value : values) value = std::generate_canonical<double, 53>(random);
  const std::string data = bytes_of_values(values, false);
  EXPECT_EQ(read_all(file(npy(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 4), }", data))), values);
  std::vector<double> turned(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) turned[i % 10'000 * 4 + i / 10'000] = values[i];
  EXPECT_EQ(read_all(file(npy(2, "{'descr': '<f8', 'fortran_order': True, 'shape': (10000, 4), }", data))), turned);
}

TEST_F(NpyTest, OneDimensionIsOneColumn) {
  const std::string path =
      file(npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", bytes_of_values<double>({1, 2, 3}, false)));
  NpyReader reader(path);
  EXPECT_EQ(reader.n_rows(), 3);
  EXPECT_EQ(reader.n_cols(), 1);
  EXPECT_EQ(read_all(path), (std::vector<double>{1, 2, 3}));
}

TEST_F(NpyTest, KeysInAnyOrderAndEitherQuote) {
  EXPECT_EQ(code_of_dict("{\"shape\": (2,3), \"fortran_order\": False, \"descr\": \"<f8\"}\n"), "no error");
  EXPECT_EQ(code_of_dict(" { 'shape' : ( 2 , 3 , ) , 'descr' : '<f8' , 'fortran_order' : True , }   "), "no error");
}

TEST_F(NpyTest, NoByteOrderIsThisMachines) {
  EXPECT_EQ(code_of_dict("{'descr': 'f8', 'fortran_order': False, 'shape': (2, 3)}"), "no error");
}

TEST_F(NpyTest, EmptyMatricesAreMatrices) {
  for (const char* shape : {"(0, 3)", "(3, 0)", "(0, 0)", "(0,)", "(0, 9223372036854775806)"}) {
    const std::string path = file(npy(1, std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape + ", }", ""));
    if (std::string(shape).size() > 10)
      EXPECT_EQ(code_of([&] { NpyReader reader(path); }), "bad-npy") << shape;  // no dimension that large is written
    else
      EXPECT_TRUE(read_all(path).empty()) << shape;
  }
}

TEST_F(NpyTest, RefusesOtherTypes) {
  for (const char* type : {"'|O'", "'<i8'", "'<u2'", "'|b1'", "'<c16'", "'<f2'", "'<f16'", "'<U5'", "'|S3'", "'<M8[ns]'", "'|f8'",
                           "'<f8, '", "''", "[('a', '<f8')]"})
    EXPECT_EQ(code_of_dict(std::string("{'descr': ") + type + ", 'fortran_order': False, 'shape': (2, 3), }"), "bad-type") << type;
}

TEST_F(NpyTest, RefusesOtherNumbersOfDimensions) {
  EXPECT_EQ(code_of_dict("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8), "bad-shape");
  EXPECT_EQ(code_of_dict("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }", 48), "bad-shape");
}

TEST_F(NpyTest, RefusesHeadersThatAreNone) {
  for (const char* dict : {"",
                           "{",
                           "{}",
                           "}",
                           "[]",
                           "{'descr': '<f8'",
                           "{'descr': '<f8'}",
                           "{'descr': '<f8', 'fortran_order': False}",
                           "{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': [2, 3]}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (-2, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2.0, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} x",
                           "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
                           "{descr: '<f8', 'fortran_order': False, 'shape': (2, 3)}",
                           "{'descr' '<f8', 'fortran_order': False, 'shape': (2, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 3)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (3037000500, 3037000500)}",
                           "{'descr': 3}",
                           "{'descr'"})
    EXPECT_EQ(code_of_dict(dict), "bad-npy") << dict;
}

TEST_F(NpyTest, RefusesFilesThatAreNone) {
  for (const std::string& bytes : {std::string(), std::string("\x93NUM"), std::string("PK\3\4 an npz is an archive"),
                                   std::string(100, '\0'), std::string("\x93NUMPY\1\0\xff\xff", 10), std::string("\x93NUMPY\1\0\5", 9),
                                   std::string("\x93NUMPY\0\0\5\0", 10) + "12345", std::string("\x93NUMPY\4\0\5\0\0\0", 12) + "12345",
                                   std::string("\x93NUMPY\2\0\5\0", 10), std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12) + "12345"})
    EXPECT_EQ(code_of_file(bytes), "bad-npy") << testing::PrintToString(bytes);
}

TEST_F(NpyTest, EveryCutAndEveryByteIsMet) {
  const std::string whole = npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", std::string(48, '\1'));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE(code_of_file(whole.substr(0, n)), "no error") << n;
  EXPECT_EQ(code_of_file(whole + "x"), "bad-npy");
  EXPECT_EQ(code_of_file(whole.substr(0, whole.size() - 1)), "truncated");
  std::mt19937_64 random(11);
  for (int i = 0; i < 1'000; ++i) {  // damage ends in an error of ours or in a file that reads
    std::string damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[random() % 72] = static_cast<char>(random() & 255U);
    const std::string path = file(damaged);
    const std::string code = code_of([&] { read_all(path); });
    EXPECT_TRUE(code == "no error" || code == "bad-npy" || code == "bad-type" || code == "bad-shape" || code == "truncated") << code;
  }
}

TEST_F(NpyTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(code_of([&] { NpyReader reader(folder_ / "none.npy"); }), "not-found");
  EXPECT_EQ(code_of([&] { NpyReader reader("/dev/null"); }), "not-a-file");
  try {
    NpyReader reader(file("nothing"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.path(), folder_ / "b.npy");
  }
}

TEST_F(NpyTest, WritesWhatNumpyWrites) {
  const std::string path = folder_ / "out.npy";
  NpyWriter writer(path, {}, ValueType::f64, {2, 3});
  writer.append(std::vector<double>{1, 2});
  writer.append(std::vector<double>{3, 4, 5, 6});
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.commit();
  std::string head = "\x93NUMPY\1";
  head += std::string("\0\x76\0", 3) + "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
  head.append(127 - head.size(), ' ');
  EXPECT_EQ(file_contents(path), head + "\n" + bytes_of_values<double>({1, 2, 3, 4, 5, 6}, false));
  EXPECT_EQ(writer.file_bytes(), 128 + 48);
  EXPECT_EQ(read_all(path), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST_F(NpyTest, WritesOneDimensionAndFloats) {
  const std::string path = folder_ / "out.npy";
  NpyWriter writer(path, {}, ValueType::f32, {3});
  writer.append(std::vector<float>{1, 2, 3});
  writer.commit();
  EXPECT_NE(file_contents(path).find("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"), std::string::npos);
  EXPECT_EQ(read_all(path), (std::vector<double>{1, 2, 3}));
}

TEST_F(NpyTest, BeginsAgain) {
  const std::string path = folder_ / "out.npy";
  NpyWriter writer(path, {}, ValueType::f64, {1, 2});
  writer.append(std::vector<double>{8, 9});
  writer.restart();
  writer.append(std::vector<double>{1, 2});
  writer.commit();
  EXPECT_EQ(read_all(path), (std::vector<double>{1, 2}));
}

TEST_F(NpyTest, IsNeverHalfAFile) {
  const std::string path = folder_ / "out.npy";
  {
    NpyWriter writer(path, {}, ValueType::f64, {2, 2});
    writer.append(std::vector<double>{1, 2});
    EXPECT_EQ(code_of([&] { writer.commit(); }), "wrong-length");
    EXPECT_EQ(code_of([&] { writer.append(std::vector<float>{1}); }), "wrong-length");
  }
  EXPECT_EQ(folder_.n_files(), 0U);
  put(path, "old");
  EXPECT_EQ(code_of([&] { NpyWriter writer(path, {}, ValueType::f64, {1}); }), "exists");
  EXPECT_EQ(code_of([&] { NpyWriter writer(folder_ / "huge.npy", {}, ValueType::f64, {1'000'000'000'000, 1000}); }), "disk-full");
  EXPECT_EQ(file_contents(path), "old");
}

}  // namespace
}  // namespace quern::io
