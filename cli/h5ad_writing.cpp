#include "cli/h5ad_writing.hpp"

#include <algorithm>
#include <filesystem>

#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "host/core/error.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/provenance.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"

namespace quern::cli {

void warn_of_compression(const io::Compression& compression, Session& session) {
  if (const std::string needs = io::needs_of_readers(compression); !needs.empty()) session.warn("few-readers", needs);
}

namespace {

// A matrix that cannot be read cannot be carried over either.
void refuse_broken_matrices(const io::FileInfo& info, bool with_x) {
  for (const io::Problem& problem : info.problems)
    if (!problem.matrix.empty() && (with_x || problem.matrix != "X"))
      throw input_error(problem.code, problem.object, problem.text, "quern check names all that is wrong with the file").in_file(info.path);
}

}  // namespace

H5adWriting::H5adWriting(std::string target, bool provenance, Session& session, bool any_name)
    : target_(std::move(target)), provenance_(provenance), session_(session), stamps_(session.output_options().inputs) {
  if (target_ == "-") throw usage_error("stdout-output", "--output", "HDF5 cannot be written to standard output", "name a file");
  if (!any_name && !target_.ends_with(".h5ad"))
    throw usage_error("unknown-extension", "--output", target_ + ": this verb writes h5ad", "give the file a name that ends in .h5ad");
  io::resolve_output(target_, session_.output_options());
}

void H5adWriting::open(io::Input& input, std::int64_t extra_bytes, bool carries_all) {
  input_ = &input;
  refuse_broken_matrices(input.info(), false);
  const bool is_h5ad = input.info().format == io::Format::h5ad, allow_external = session_.options.allow_external;
  const io::CarrySurvey survey =
      is_h5ad ? io::survey_carry_over(input.info().path, allow_external) : io::CarrySurvey{input.info().bytes, 0};
  bytes_planned_ = (carries_all ? survey.bytes : 0) + extra_bytes;
  largest_piece_ = survey.largest_piece;
  if (session_.options.dry_run) return io::require_free_space(target_, bytes_planned_);
  if (is_h5ad) from_ = std::make_unique<io::Hdf5File>(input.info().path, allow_external, false);
  output_ = std::make_unique<io::H5adOutput>(target_, session_.output_options(), bytes_planned_);
  session_.warn(output_->warnings());
}

std::size_t H5adWriting::carry_bytes(std::int64_t n_obs, std::int64_t n_vars) const {
  constexpr std::size_t piece = std::size_t{1} << 20, name_bytes = 512;
  const std::size_t row = static_cast<std::size_t>(std::max(n_obs, n_vars)) * sizeof(double);  // of the widest array
  const std::size_t packing =
      io::ChunkAppender::memory_bytes(std::max(piece, row), {io::Packing::gzip, 4, false}, session_.options.threads);
  const bool is_h5ad = input_->info().format == io::Format::h5ad;
  const std::size_t names = is_h5ad ? 0 : static_cast<std::size_t>(n_vars) * name_bytes;
  return std::max(2 * std::max(piece, row) + packing, static_cast<std::size_t>(largest_piece_)) + names;
}

void H5adWriting::write(io::CarryOptions options, const io::ExpectedH5ad& expected, const Parameters& parameters, const std::string& digest,
                        MemoryBudget& budget) {
  refuse_broken_matrices(input_->info(), options.with_x);
  options.threads = session_.options.threads;
  options.stop = &stop_flag();
  const auto add_uns = std::move(options.add_uns);
  if (provenance_) options.without_uns.emplace_back("quern");
  const auto carry = [&](const AddUns& add_provenance) {
    options.add_uns = [&](const io::OutputGroup& uns, const io::CopyElement& copy) {
      if (add_uns) add_uns(uns, copy);
      add_provenance(uns, copy);
    };
    return from_ ? io::carry_over(*from_, output_->file(), options, budget)
                 : io::carry_from_tenx(*input_, output_->file(), options, budget);
  };
  write_by(carry, expected, parameters, digest);
}

void H5adWriting::write_by(const std::function<std::vector<io::Warning>(const AddUns& add_uns)>& write_all,
                           const io::ExpectedH5ad& expected, const Parameters& parameters, const std::string& digest) {
  const AddUns add_provenance = [&](const io::OutputGroup& uns, const io::CopyElement& copy) {
    if (!provenance_) return;
    const std::string input = std::filesystem::path(session_.options.input).filename().string();
    io::write_provenance(uns, {version(), session_.command, input, digest, parameters}, from_.get(), copy);
  };
  stream([&] {
    const std::vector<io::Warning> warnings = write_all(add_provenance);
    session_.warn(warnings);
    stamps_.check();
    output_->commit(expected);
  });
}

}  // namespace quern::cli
