// SPDX-License-Identifier: MIT
#include "to_uapi.hpp"

#include <algorithm>

namespace smartquant {

static std::uint64_t address_of(const void *memory)
{
	return reinterpret_cast<std::uintptr_t>(memory);
}

sq_ioc_region_create to_create(const RegionSpec &spec)
{
	sq_ioc_region_create create{};

	create.dtype = static_cast<std::uint8_t>(spec.dtype);
	create.placement = static_cast<std::uint8_t>(spec.placement);
	create.name_bytes = static_cast<std::uint16_t>(spec.name.size());
	create.rows = spec.rows;
	create.cols = spec.cols;
	std::ranges::copy(spec.name, create.name);
	return create;
}

sq_ioc_region to_find(std::string_view name)
{
	sq_ioc_region find{};

	find.name_bytes = static_cast<std::uint16_t>(name.size());
	std::ranges::copy(name, find.name);
	return find;
}

sq_ioc_handle to_handle(std::uint32_t handle)
{
	sq_ioc_handle argument{};

	argument.handle = handle;
	return argument;
}

sq_ioc_view to_view(const sqc_read_request &request)
{
	sq_ioc_view view{};

	view.handle = request.handle;
	view.format = request.format;
	view.rounding = request.rounding;
	view.axis = request.axis;
	view.first_row = request.first_row;
	view.row_count = request.row_count;
	return view;
}

sq_buffer to_buffer(std::span<const std::byte> memory)
{
	return {.address = address_of(memory.data()), .length_bytes = memory.size()};
}

sq_ioc_submit to_fetch(const sqc_read_request &request, std::span<const sq_buffer> buffers)
{
	sq_ioc_submit submit{};

	submit.opcode = SQ_OP_FETCH;
	submit.handle = request.handle;
	submit.format = request.format;
	submit.rounding = request.rounding;
	submit.axis = request.axis;
	submit.first_row = request.first_row;
	submit.row_count = request.row_count;
	submit.buffers = address_of(buffers.data());
	submit.buffer_count = static_cast<std::uint32_t>(buffers.size());
	return submit;
}

void set_formats(sq_ioc_submit &submit, std::span<const std::uint16_t> formats,
		 std::uint32_t rows_per_format)
{
	submit.formats = address_of(formats.data());
	submit.format_count = static_cast<std::uint32_t>(formats.size());
	submit.rows_per_format = rows_per_format;
}

sq_ioc_submit to_store(const sqc_write_request &request, std::span<const sq_buffer> buffers)
{
	sq_ioc_submit submit{};

	submit.flags = request.flags & SQ_STORE_ROUND ? SQ_SUBMIT_ROUND : 0;
	submit.opcode = SQ_OP_STORE;
	submit.handle = request.handle;
	submit.format = request.encoding;
	submit.first_row = request.first_row;
	submit.row_count = request.row_count;
	submit.buffers = address_of(buffers.data());
	submit.buffer_count = static_cast<std::uint32_t>(buffers.size());
	return submit;
}

} // namespace smartquant
