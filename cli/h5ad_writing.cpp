#include "cli/h5ad_writing.hpp"

#include <filesystem>

#include "cli/signals.hpp"
#include "cli/version.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/provenance.hpp"

namespace quern::cli {

void warn_of_compression(const io::Compression& compression, Session& session) {
  if (const std::string needs = io::needs_of_readers(compression); !needs.empty()) session.warn("few-readers", needs);
}

H5adWriting::H5adWriting(std::string target, bool provenance, Session& session, bool any_name)
    : target_(std::move(target)), provenance_(provenance), session_(session), stamps_(session.output_options().inputs) {
  if (target_ == "-") throw usage_error("stdout-output", "--output", "HDF5 cannot be written to standard output", "name a file");
  if (!any_name && !target_.ends_with(".h5ad"))
    throw usage_error("unknown-extension", "--output", target_ + ": this verb writes h5ad", "give the file a name that ends in .h5ad");
  io::resolve_output(target_, session_.output_options());
}

void H5adWriting::open(io::Input& input, std::int64_t extra_bytes) {
  input_ = &input;
  const bool is_h5ad = input.info().format == io::Format::h5ad, allow_external = session_.options.allow_external;
  const std::int64_t carried = is_h5ad ? io::survey_carry_over(input.info().path, allow_external).bytes : input.info().bytes;
  bytes_planned_ = carried + extra_bytes;
  if (session_.options.dry_run) return io::require_free_space(target_, bytes_planned_);
  if (is_h5ad) from_ = std::make_unique<io::Hdf5File>(input.info().path, allow_external, false);
  output_ = std::make_unique<io::H5adOutput>(target_, session_.output_options(), bytes_planned_);
  session_.warn(output_->warnings());
}

void H5adWriting::write(io::CarryOptions options, const io::ExpectedH5ad& expected, const Parameters& parameters, const std::string& digest,
                        MemoryBudget& budget) {
  options.threads = session_.options.threads;
  options.stop = &stop_flag();
  const auto add_uns = std::move(options.add_uns);
  if (provenance_) options.without_uns.emplace_back("quern");
  options.add_uns = [&](const io::OutputGroup& uns, const io::CopyElement& copy) {
    if (add_uns) add_uns(uns, copy);
    if (!provenance_) return;
    const std::string input = std::filesystem::path(session_.options.input).filename().string();
    io::write_provenance(uns, {version(), session_.command, input, digest, parameters}, from_.get(), copy);
  };
  stream([&] {
    const std::vector<io::Warning> warnings =
        from_ ? io::carry_over(*from_, output_->file(), options, budget) : io::carry_from_tenx(*input_, output_->file(), options, budget);
    session_.warn(warnings);
    stamps_.check();
    output_->commit(expected);
  });
}

}  // namespace quern::cli
