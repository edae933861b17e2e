/* SPDX-License-Identifier: MIT */
#include "read_streamed.h"

#include "reader.h"
#include "stream.h"

sqc_status read_streamed(const struct sqc_store *store, const struct sqc_read_request *request,
			 void *out, void *scratch, struct sqc_result *result, bool *streams)
{
	struct sqc_reader reader, large;
	struct sqc_walk walk;
	sqc_status status = sqc_reader_begin(&reader, store, request);

	*result = (struct sqc_result){ 0 };
	if (status)
		return status;
	reader.scratch = sqc_reader_scratch(scratch);
	large = reader;
	large.layout.bytes = SQC_STREAM_BYTES;
	*streams = sqc_reads_stream(&large);
	sqc_walk_begin(&walk, result);
	walk.streaming = *streams;
	status = sqc_walk_read(&walk, &reader, request, out);
	sqc_tally_end(&walk.tally, result->bytes);
	return status;
}
