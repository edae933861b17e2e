// SPDX-License-Identifier: MIT
//
// Models: files of many tensors, and what a store keeps of them
//
// A loaded model is a set of sealed regions: MODEL/TENSOR for each tensor, and
// MODEL/.header, a u8 region that keeps the file's header (metadata and tensor
// descriptions) byte for byte, in rows of 4096 bytes, the last one filled with
// zeros. The header region is written first and sealed last, so an unsealed
// one says that a load is under way or was killed; remove() clears it away.
//
// A tensor becomes a matrix: its innermost dimension is a row, all others are
// rows. The original shape stays in the header. Tensors of other than float
// and ggml block types are kept as bytes (u8); tensors without elements are
// kept in the header alone.
//
// Files are hostile: a file that is truncated, overlaps itself or claims more
// than it has is refused with the reason (Status::InvalidInput) before
// anything is created.
#ifndef SMARTQUANT_MODEL_HPP
#define SMARTQUANT_MODEL_HPP

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <smartquant/export.hpp>
#include <smartquant/store.hpp>

namespace smartquant::model {

enum class FileKind : std::uint8_t { Gguf, Safetensors };

SMARTQUANT_API std::string_view name(FileKind kind) noexcept;

// A tensor as its file describes it.
struct Tensor {
	std::string name = {};
	std::string type = {};		// as the file calls it: "q4_1", "F16"
	Encoding encoding;		// of its data; dtype(): kept as bytes
	Dtype dtype = Dtype::U8;	// the smallest that loses nothing
	std::vector<std::uint64_t> shape; // outermost dimension first; empty: a scalar
	std::uint32_t rows = 0;		// of the region; 0: no elements, no region
	std::uint32_t cols = 0;
	std::uint64_t offset = 0;	// of its bytes within the data
	std::uint64_t bytes = 0;
};

struct Header {
	FileKind kind = FileKind::Gguf;
	std::string architecture = {};	// "llama"; empty when the file does not say
	std::uint64_t header_bytes = 0;
	std::uint64_t data_offset = 0;	// of the first tensor's bytes in the file
	std::vector<Tensor> tensors = {};	// in the file's order
};

// Of a file: everything that load() checks, without a store.
SMARTQUANT_API Header read_header(const std::filesystem::path &file);
// Of a loaded model. Throws Status::NotFound.
SMARTQUANT_API Header read_header(const Store &store, std::string_view model);

// The element type that float tensors and block types get.
enum class LoadDtype : std::uint8_t {
	Default,	// floats keep theirs, block types become bf16
	Bf16,
	Fp16,
	Fp32,
	Source,		// nothing is rounded: floats keep theirs, block types become fp32
};

struct LoadProgress {
	std::string_view tensor;
	std::uint64_t bytes = 0;	// of the file's data, done
	std::uint64_t bytes_total = 0;
};

struct LoadOptions {
	std::string name = {};		// of the model; empty: the file's name without its extension
	LoadDtype dtype = LoadDtype::Default;
	Placement placement = Placement::Aligned; // of float data
	// A file of activation statistics that shape the codebooks of placement
	// tuned (StoreRequest::importance): GGUF or safetensors, for a tensor T an
	// fp32 tensor T.in_sum2 (as llama.cpp's importance matrices have) or T of
	// as many columns. Empty: none. Embedded stores only.
	std::filesystem::path importance = {};
	// Called after each block of rows; false stops the load (Status::Aborted).
	std::function<bool(const LoadProgress &)> progress = {};
};

struct LoadReport {
	std::string name = {};
	FileKind kind = FileKind::Gguf;
	std::string architecture = {};
	std::uint32_t tensors = 0;
	std::uint64_t elements = 0;
	std::uint64_t file_bytes = 0;
	std::uint64_t stored_bytes = 0;	// plane memory that the model takes
	std::uint32_t rounded_tensors = 0;
	std::uint64_t rounded_elements = 0;
	float max_rounding_error = 0;	// largest |stored - given| / |given|
	std::uint32_t weighted_tensors = 0;	// whose codebook knows activation statistics
	std::vector<std::string> non_finite; // tensors that needed placement word
	std::vector<std::string> kept_as_bytes;
	std::vector<std::string> empty;	// tensors without elements
};

// Loads a GGUF or safetensors file, in blocks of rows. A load that fails
// removes what it made. Throws Status::NameExists when the store has regions
// of that model, Status::InvalidInput when the file is malformed.
SMARTQUANT_API LoadReport load(Store &store, const std::filesystem::path &file,
			       const LoadOptions &options = {});

struct ExportOptions {
	// Of matrices: native, bf16, fp16, fp32 or a ggml format as it is; any
	// other format with values is decoded into `decoded`.
	Format format = Format::native();
	Dtype decoded = Dtype::Fp32;	// or Bf16, Fp16
	Rounding rounding = Rounding::Default;
	// As in LoadOptions.
	std::function<bool(const LoadProgress &)> progress = {};
};

struct ExportReport {
	std::string name = {};
	std::string architecture = {};
	std::uint32_t tensors = 0;
	std::uint64_t bytes = 0;	// of the file
	// Tensors of each element type in the file, "q8_0", "f32".
	std::map<std::string, std::uint32_t> types = {};
	// Floats that are not in the format asked for but in fp32: those of one
	// dimension, whose precision engines rely on, and those whose rows are no
	// whole blocks of it.
	std::vector<std::string> kept = {};
};

// Where an export goes, piece after piece; what it throws passes.
using Sink = std::function<void(std::span<const std::byte>)>;

// Gives a model that came from a GGUF file back as a GGUF file: its metadata
// as it was (general.file_type says the new type), every matrix in the format
// asked for, so that an engine of ggml's formats runs it. Throws
// Status::NotFound (no such model, or a tensor of it was removed),
// Status::Unsupported (it came from a safetensors file, which has not the
// metadata), Status::Busy (its load is not complete), Status::Format.
SMARTQUANT_API ExportReport export_gguf(const Store &store, std::string_view model,
					const ExportOptions &options, const Sink &sink);

struct ModelInfo {
	std::string name = {};
	bool complete = false;		// false: a load is under way, or was killed
	std::uint32_t regions = 0;	// tensors, the header not counted
	std::uint64_t stored_bytes = 0;
};

// The models in the store, in order of name.
SMARTQUANT_API std::vector<ModelInfo> list(const Store &store);

// Removes every region MODEL/..., complete or not; returns how many there
// were. Throws Status::NotFound when there is none, Status::InUse (and removes
// nothing) when a view of one is mapped.
SMARTQUANT_API std::uint32_t remove(Store &store, std::string_view model);

} // namespace smartquant::model

#endif // SMARTQUANT_MODEL_HPP
