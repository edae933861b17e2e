// SPDX-License-Identifier: MIT
#include "ggml_product.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>

namespace bench {

namespace {

// Rows that are quantized; a matrix repeats them, for that takes long.
constexpr std::uint32_t sample_rows = 64;

struct FreeBackend {
	void operator()(ggml_backend_t backend) const { ggml_backend_free(backend); }
};
struct FreeContext {
	void operator()(ggml_context *context) const { ggml_free(context); }
};
struct FreeBuffer {
	void operator()(ggml_backend_buffer_t buffer) const { ggml_backend_buffer_free(buffer); }
};

struct Engine {
	std::unique_ptr<ggml_backend, FreeBackend> backend;
	ggml_threadpool_t threads;
};

// One a number of threads, with helpers that wait awake between products.
Engine &engine(unsigned int threads)
{
	static std::map<unsigned int, Engine> engines;
	auto &found = engines[threads];

	if (!found.backend) {
		ggml_threadpool_params params =
			ggml_threadpool_params_default(static_cast<int>(threads));

		found.backend.reset(ggml_backend_cpu_init());
		found.threads = ggml_threadpool_new(&params);
		ggml_backend_cpu_set_n_threads(found.backend.get(), static_cast<int>(threads));
		ggml_backend_cpu_set_threadpool(found.backend.get(), found.threads);
	}
	return found;
}

ggml_type type_of(const std::string &name)
{
	for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
		std::string known = ggml_type_name(static_cast<ggml_type>(type)) ?
					    ggml_type_name(static_cast<ggml_type>(type)) : "";

		std::ranges::transform(known, known.begin(), [](unsigned char c) { return std::tolower(c); });
		if (known == name)
			return static_cast<ggml_type>(type);
	}
	throw std::invalid_argument("ggml has no type " + name);
}

ggml_backend_buffer_type_t repack_buffers()
{
	const ggml_backend_dev_t device = ggml_backend_get_device(engine(1).backend.get());
	const auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
		ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device),
						  "ggml_backend_dev_get_extra_bufts"));

	for (ggml_backend_buffer_type_t *type = extra ? extra(device) : nullptr; type && *type; ++type)
		if (std::string_view(ggml_backend_buft_name(*type)) == "CPU_REPACK")
			return *type;
	return nullptr;
}

std::vector<char> quantized(ggml_type type, std::uint32_t rows, std::uint32_t cols)
{
	std::vector<float> values(std::size_t{sample_rows} * cols);
	std::vector<char> sample(ggml_row_size(type, cols) * sample_rows), whole;
	std::mt19937 random(1);
	std::normal_distribution<float> normal(0, 0.02f);

	std::ranges::generate(values, [&] { return normal(random); });
	ggml_quantize_chunk(type, values.data(), sample.data(), 0, sample_rows, cols, nullptr);
	while (whole.size() < ggml_row_size(type, cols) * rows)
		whole.insert(whole.end(), sample.begin(), sample.end());
	whole.resize(ggml_row_size(type, cols) * rows);
	return whole;
}

} // namespace

struct GgmlProduct::Parts {
	bool is_there = true;
	std::size_t matrix_bytes = 0;
	std::unique_ptr<ggml_context, FreeContext> weights, products;
	std::unique_ptr<ggml_backend_buffer, FreeBuffer> weight_memory, product_memory;
	std::vector<std::vector<ggml_cgraph *>> graphs; // by columns and matrix
};

GgmlProduct::GgmlProduct(const std::string &name, bool repacked, std::uint32_t rows,
			 std::uint32_t cols, std::size_t bytes)
	: parts_(std::make_unique<Parts>())
{
	ggml_log_set([](ggml_log_level, const char *, void *) {}, nullptr);

	const ggml_type type = type_of(name);
	const std::size_t size = ggml_row_size(type, cols) * rows;
	const std::size_t count = bytes / size + 1;
	const ggml_backend_buffer_type_t memory =
		repacked ? repack_buffers() : ggml_backend_cpu_buffer_type();
	std::vector<ggml_tensor *> matrices(count);

	parts_->matrix_bytes = size;
	parts_->weights.reset(ggml_init({ggml_tensor_overhead() * (count + 1), nullptr, true}));
	parts_->products.reset(ggml_init(
		{(ggml_tensor_overhead() * 4 + ggml_graph_overhead_custom(8, false)) * (count + 2) *
			 columns_max,
		 nullptr, true}));
	for (ggml_tensor *&matrix : matrices)
		matrix = ggml_new_tensor_2d(parts_->weights.get(), type, cols, rows);
	if (memory)
		parts_->weight_memory.reset(
			ggml_backend_alloc_ctx_tensors_from_buft(parts_->weights.get(), memory));
	// What the repacking buffer has no form for stays as it is, and is no peer of its own.
	if (!parts_->weight_memory || (repacked && !matrices[0]->extra)) {
		parts_->is_there = false;
		return;
	}

	const std::vector<char> data = quantized(type, rows, cols);
	std::vector<ggml_tensor *> inputs;

	parts_->graphs.resize(columns_max + 1);
	for (std::uint32_t columns = 1; columns <= columns_max; ++columns) {
		inputs.push_back(ggml_new_tensor_2d(parts_->products.get(), GGML_TYPE_F32, cols, columns));
		for (ggml_tensor *matrix : matrices) {
			ggml_cgraph *graph = ggml_new_graph_custom(parts_->products.get(), 8, false);

			ggml_build_forward_expand(
				graph, ggml_mul_mat(parts_->products.get(), matrix, inputs.back()));
			parts_->graphs[columns].push_back(graph);
		}
	}
	parts_->product_memory.reset(ggml_backend_alloc_ctx_tensors_from_buft(
		parts_->products.get(), ggml_backend_cpu_buffer_type()));
	for (ggml_tensor *matrix : matrices)
		ggml_backend_tensor_set(matrix, data.data(), 0, data.size());

	const std::vector<float> values(std::size_t{cols} * columns_max, 0.5f);

	for (ggml_tensor *x : inputs)
		ggml_backend_tensor_set(x, values.data(), 0, ggml_nbytes(x));
}

GgmlProduct::~GgmlProduct() = default;

bool GgmlProduct::is_there() const
{
	return parts_->is_there;
}

std::size_t GgmlProduct::matrix_bytes() const
{
	return parts_->matrix_bytes;
}

std::size_t GgmlProduct::matrices() const
{
	return parts_->graphs[1].size();
}

void GgmlProduct::multiply(std::size_t matrix, std::uint32_t columns, unsigned int threads)
{
	if (ggml_backend_graph_compute(engine(threads).backend.get(), parts_->graphs[columns][matrix]) !=
	    GGML_STATUS_SUCCESS)
		throw std::runtime_error("ggml could not multiply");
}

void GgmlProduct::rest(unsigned int threads)
{
	ggml_threadpool_pause(engine(threads).threads);
}

} // namespace bench
