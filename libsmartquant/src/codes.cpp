// SPDX-License-Identifier: MIT
//
// The public headers repeat the numbers of include/smartquant/codes.h, so
// that users need no other header. Here both are compared.
#include <smartquant/codes.h>

#include <smartquant/error.hpp>
#include <smartquant/format.hpp>

namespace smartquant {

#define SAME(ours, code) static_assert(static_cast<unsigned int>(ours) == (code))

SAME(Status::Success, SQ_STATUS_SUCCESS);
SAME(Status::InvalidInput, SQ_STATUS_INVALID_INPUT);
SAME(Status::Unsupported, SQ_STATUS_UNSUPPORTED);
SAME(Status::InternalError, SQ_STATUS_INTERNAL_ERROR);
SAME(Status::RetryRequired, SQ_STATUS_RETRY_REQUIRED);
SAME(Status::Busy, SQ_STATUS_BUSY);
SAME(Status::InvalidHandle, SQ_STATUS_INVALID_HANDLE);
SAME(Status::InvalidAddress, SQ_STATUS_INVALID_ADDRESS);
SAME(Status::MediaFailure, SQ_STATUS_MEDIA_FAILURE);
SAME(Status::Aborted, SQ_STATUS_ABORTED);
SAME(Status::InvalidPayloadLength, SQ_STATUS_INVALID_PAYLOAD_LENGTH);
SAME(Status::ResourcesExhausted, SQ_STATUS_RESOURCES_EXHAUSTED);
SAME(Status::NameExists, SQ_STATUS_NAME_EXISTS);
SAME(Status::NotFound, SQ_STATUS_NOT_FOUND);
SAME(Status::Sealed, SQ_STATUS_SEALED);
SAME(Status::NonFinite, SQ_STATUS_NON_FINITE);
SAME(Status::Range, SQ_STATUS_RANGE);
SAME(Status::Format, SQ_STATUS_FORMAT);
SAME(Status::InUse, SQ_STATUS_IN_USE);
SAME(Status::StoreFull, SQ_STATUS_STORE_FULL);
SAME(Status::RoundingNeeded, SQ_STATUS_ROUNDING_NEEDED);
SAME(Status::Length, SQ_STATUS_LENGTH);
SAME(Status::NotAStore, SQ_STATUS_NOT_A_STORE);
SAME(Status::StoreVersion, SQ_STATUS_STORE_VERSION);
SAME(Status::StoreDamaged, SQ_STATUS_STORE_DAMAGED);
SAME(Status::SyncFailed, SQ_STATUS_SYNC_FAILED);
SAME(Status::NoHdm, SQ_STATUS_NO_HDM);
SAME(Status::DmaFault, SQ_STATUS_DMA_FAULT);
SAME(Status::ReadOnly, SQ_STATUS_READ_ONLY);
SAME(Status::Name, SQ_STATUS_NAME);

SAME(Dtype::Bf16, SQ_DTYPE_BF16);
SAME(Dtype::Fp16, SQ_DTYPE_FP16);
SAME(Dtype::Fp32, SQ_DTYPE_FP32);
SAME(Dtype::Int8, SQ_DTYPE_INT8);
SAME(Dtype::U8, SQ_DTYPE_U8);

SAME(Placement::Bytes, SQ_PLACEMENT_BYTES);
SAME(Placement::Aligned, SQ_PLACEMENT_ALIGNED);
SAME(Placement::Word, SQ_PLACEMENT_WORD);
SAME(Placement::Tuned, SQ_PLACEMENT_TUNED);

SAME(Coding::Raw, SQ_CODING_RAW);
SAME(Coding::Packed, SQ_CODING_PACKED);

SAME(Rounding::Default, SQ_ROUNDING_DEFAULT);
SAME(Rounding::Truncate, SQ_ROUNDING_TRUNCATE);
SAME(Rounding::Nearest, SQ_ROUNDING_NEAREST);
SAME(Rounding::Even, SQ_ROUNDING_EVEN);

SAME(Axis::Row, SQ_AXIS_ROW);
SAME(Axis::Col, SQ_AXIS_COL);

SAME(Format::tag().code(), SQ_FORMAT_TAG);
SAME(Format::native().code(), SQ_FORMAT_NATIVE);
SAME(Format::bf16().code(), SQ_FORMAT_BF16);
SAME(Format::fp16().code(), SQ_FORMAT_FP16);
SAME(Format::fp32().code(), SQ_FORMAT_FP32);
SAME(Format::mxint(5).code(), SQ_FORMAT_MXINT(5));
SAME(Format::mxfp8_e4m3().code(), SQ_FORMAT_MXFP8_E4M3);
SAME(Format::mxfp8_e5m2().code(), SQ_FORMAT_MXFP8_E5M2);
SAME(Format::mxfp6_e3m2().code(), SQ_FORMAT_MXFP6_E3M2);
SAME(Format::mxfp6_e2m3().code(), SQ_FORMAT_MXFP6_E2M3);
SAME(Format::mxfp4_e2m1().code(), SQ_FORMAT_MXFP4_E2M1);
SAME(Format::mx(4).code(), SQ_FORMAT_MX4);
SAME(Format::mx(6).code(), SQ_FORMAT_MX6);
SAME(Format::mx(9).code(), SQ_FORMAT_MX9);
SAME(Format::ggml(39).code(), SQ_FORMAT_GGML(39));
SAME(Format::planes(7).code(), SQ_FORMAT_PLANES(7));
SAME(Format::tuned(3).code(), SQ_FORMAT_TUNED(3));
SAME(Format::tuned(3).tuned_bits(), 3);
SAME(Format::levels(3).code(), SQ_FORMAT_LEVELS(3));

SAME(Encoding::dtype().code(), SQ_ENCODING_DTYPE);
SAME(Encoding::bf16().code(), SQ_ENCODING_BF16);
SAME(Encoding::fp16().code(), SQ_ENCODING_FP16);
SAME(Encoding::fp32().code(), SQ_ENCODING_FP32);
SAME(Encoding::ggml(3).code(), SQ_ENCODING_GGML(SQ_GGML_Q4_1));

} // namespace smartquant
