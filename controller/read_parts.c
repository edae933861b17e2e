/* SPDX-License-Identifier: MIT */
/*
 * One read by several threads
 *
 * A part is a walk of its own over some of the segments. What depends on the
 * order of the whole, the DRAM model, is told when the parts are joined, from
 * the runs that each noted while it read.
 */
#include "reader.h"

/* Axis col delivers across segments, levels are in none. */
static bool has_parts(const struct sqc_reader *reader)
{
	return reader->layout.axis == SQ_AXIS_ROW && reader->source != SQC_SOURCE_LEVELS;
}

sqc_status sqc_read_segments(const struct sqc_store *store,
			     const struct sqc_read_request *request, uint64_t *segments)
{
	struct sqc_reader reader;
	const sqc_status status = sqc_reader_begin(&reader, store, request);

	*segments = !status && has_parts(&reader) ? sqc_walk_segments(&reader, request) : 0;
	return status;
}

static bool is_part_of(const struct sqc_part *part, const struct sqc_reader *reader,
		       const struct sqc_read_request *request)
{
	const uint64_t segments = sqc_walk_segments(reader, request);

	return has_parts(reader) && part->segments && part->segments <= segments &&
	       part->first_segment <= segments - part->segments &&
	       part->runs_max / SQC_RUNS_MAX >= part->segments;
}

sqc_status sqc_read_part(const struct sqc_store *store, const struct sqc_read_request *request,
			 void *out, uint64_t bytes, void *scratch, struct sqc_part *part)
{
	struct sqc_reader reader;
	struct sqc_walk walk;

	part->run_count = 0;
	part->result = (struct sqc_result){ 0 };
	part->status = sqc_reader_begin(&reader, store, request);
	if (!part->status && bytes != reader.layout.bytes)
		part->status = SQ_STATUS_LENGTH;
	if (!part->status && !is_part_of(part, &reader, request))
		part->status = SQ_STATUS_INVALID_INPUT;
	if (part->status)
		return part->status;
	reader.scratch = sqc_reader_scratch(scratch);
	sqc_walk_begin(&walk, &part->result);
	walk.tally.runs = part->runs;
	walk.streaming = sqc_reads_stream(&reader);
	part->status = sqc_walk_part(&walk, &reader, request, part->first_segment,
				     part->segments, out);
	part->run_count = walk.tally.run_count;
	return part->status;
}

/* Adds a part's lines to the walk, in the order in which it read them. */
static void part_join(struct sqc_walk *walk, const struct sqc_part *part)
{
	struct sqc_result *result = walk->tally.result;

	result->plane_lines += part->result.plane_lines;
	result->check_lines += part->result.check_lines;
	sqc_tally_replay(&walk->tally, part->runs, part->run_count);
}

static sqc_status parts_join(struct sqc_walk *walk, const struct sqc_reader *reader,
			     const struct sqc_read_request *request,
			     const struct sqc_part *parts, uint32_t part_count)
{
	uint64_t covered = 0;

	for (uint32_t i = 0; i < part_count; i++) {
		if (parts[i].first_segment != covered)
			return SQ_STATUS_INVALID_INPUT;
		walk->tally.result->error_row = parts[i].result.error_row;
		if (parts[i].status)
			return parts[i].status;
		part_join(walk, &parts[i]);
		covered += parts[i].segments;
	}
	if (!has_parts(reader) || covered != sqc_walk_segments(reader, request))
		return SQ_STATUS_INVALID_INPUT;
	sqc_walk_count(walk, reader, request);
	sqc_walk_end(walk, reader);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_read_join(struct sqc_store *store, const struct sqc_read_request *request,
			 const struct sqc_part *parts, uint32_t part_count,
			 struct sqc_result *result)
{
	struct sqc_reader reader;
	struct sqc_walk walk;
	sqc_status status = sqc_reader_begin(&reader, store, request);

	*result = (struct sqc_result){ 0 };
	sqc_walk_begin(&walk, result);
	if (!status)
		status = parts_join(&walk, &reader, request, parts, part_count);
	if (status)
		sqc_read_failed(&reader, request, status, result);
	return status;
}
