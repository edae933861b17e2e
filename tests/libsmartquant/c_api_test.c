/* SPDX-License-Identifier: MIT */
/*
 * The C API from C: one walk through all of it, on an embedded store. Every
 * check names its line; the exit status is the number of those that failed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smartquant/smartquant.h>

#define ROWS 40u
#define COLS 96u

static int failures;

static void check_true(int line, const char *what, bool holds)
{
	if (holds)
		return;
	failures++;
	fprintf(stderr, "line %d: %s (last error: %s)\n", line, what, smartquant_last_error());
}

#define CHECK(condition) check_true(__LINE__, #condition, condition)
#define OK(call) check_true(__LINE__, #call, (call) == SMARTQUANT_STATUS_SUCCESS)

/* Fails with this status and with a message that holds this text. */
static void check_fails(int line, smartquant_status status, smartquant_status expected,
			const char *text)
{
	char what[160];

	snprintf(what, sizeof(what), "status %04x with \"%s\", not %04x", expected, text, status);
	check_true(line, what,
		   status == expected && strstr(smartquant_last_error(), text) != NULL);
}

#define FAILS(call, status, text) check_fails(__LINE__, call, status, text)

static float weights[ROWS * COLS];

static smartquant_region *stored_region(smartquant_store *store)
{
	smartquant_region *region = NULL;
	smartquant_store_result result;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < ROWS * COLS; i++)
		weights[i] = (float)((int)(i * 7 % 41) - 20);
	OK(smartquant_region_create(store, "w", SMARTQUANT_DTYPE_FP32,
				    SMARTQUANT_PLACEMENT_DEFAULT, ROWS, COLS, &region));
	OK(smartquant_region_store_bytes(region, NULL, &bytes));
	CHECK(bytes == sizeof(weights));
	OK(smartquant_region_store(region, NULL, weights, sizeof(weights), &result));
	CHECK(result.elements == ROWS * COLS && result.rounded_elements == 0);
	OK(smartquant_region_flush(region));
	return region;
}

static void test_store(smartquant_store *store)
{
	smartquant_store_info info;
	smartquant_region_info regions[2];
	size_t count = 0;
	uint16_t code = 0;
	uint32_t formats = 0;

	OK(smartquant_store_get_info(store, &info));
	CHECK(info.embedded && info.interface_major == 1 && info.regions == 1);
	CHECK(strncmp(info.firmware, "libsmartquant ", 14) == 0);
	while (smartquant_store_format_at(store, formats, &code) == SMARTQUANT_STATUS_SUCCESS)
		formats++;
	CHECK(formats > 8);
	FAILS(smartquant_store_format_at(store, formats, &code), SMARTQUANT_STATUS_RANGE, "index");
	OK(smartquant_store_encoding_at(store, 0, &code));
	OK(smartquant_store_list_regions(store, NULL, 0, &count));
	CHECK(count == 1);
	OK(smartquant_store_list_regions(store, regions, 2, &count));
	CHECK(strcmp(regions[0].name, "w") == 0 && regions[0].rows == ROWS);
	OK(smartquant_store_flush(store));
}

static void test_formats(void)
{
	uint16_t format = 0;
	char name[16], cut[4];

	OK(smartquant_format_parse("mxint4", &format));
	CHECK(format == SMARTQUANT_FORMAT_MXINT(4));
	OK(smartquant_format_name(format, name, sizeof(name)));
	CHECK(strcmp(name, "mxint4") == 0);
	OK(smartquant_format_name(format, cut, sizeof(cut)));
	CHECK(strcmp(cut, "mxi") == 0);
	CHECK(smartquant_format_bits(format, SMARTQUANT_DTYPE_BF16) == 4.25);
	FAILS(smartquant_format_parse("mxint99", &format), SMARTQUANT_STATUS_FORMAT, "mxint99");
	FAILS(smartquant_format_name(format, cut, 0), SMARTQUANT_STATUS_LENGTH, "no room");
}

static void test_fetch(smartquant_region *region)
{
	const smartquant_read_request request = { .format = SMARTQUANT_FORMAT_MXINT(8),
						  .first_row = 3, .end_row = 5 };
	smartquant_layout layout;
	smartquant_fetch_result result;
	unsigned char bytes[2 * (COLS + COLS / 32)];
	float values[2 * COLS], x[COLS], y[2], expected = 0;

	OK(smartquant_region_layout(region, &request, &layout));
	CHECK(layout.rows == 2 && layout.cols == COLS && layout.bytes == sizeof(bytes));
	OK(smartquant_region_fetch(region, &request, bytes, sizeof(bytes), &result));
	CHECK(result.bytes == sizeof(bytes) && result.plane_lines > 0 && result.link_time_ns > 0);
	OK(smartquant_decode(&layout, bytes, sizeof(bytes), 0, 2, values));
	CHECK(memcmp(values, weights + 3 * COLS, sizeof(values)) == 0);
	for (unsigned int i = 0; i < COLS; i++) {
		x[i] = 1;
		expected += weights[4 * COLS + i];
	}
	OK(smartquant_multiply(&layout, bytes, sizeof(bytes), 1, 1, x, y));
	CHECK(fabsf(y[0] - expected) < 1e-3f);

	FAILS(smartquant_region_fetch(region, &request, bytes, 7, NULL), SMARTQUANT_STATUS_LENGTH,
	      "7 bytes");
	FAILS(smartquant_region_fetch(region, &request, NULL, 7, NULL),
	      SMARTQUANT_STATUS_INVALID_INPUT, "NULL");
	FAILS(smartquant_decode(&layout, bytes, sizeof(bytes), 1, 2, values),
	      SMARTQUANT_STATUS_RANGE, "2 rows from row 1");
	/* A layout is the caller's: one that lies must not be followed. */
	layout.code_row_bytes = UINT64_MAX / 2;
	FAILS(smartquant_decode(&layout, bytes, sizeof(bytes), 1, 1, values),
	      SMARTQUANT_STATUS_INVALID_INPUT, "does not fit");
	layout.code_row_bytes = 1;
	FAILS(smartquant_multiply(&layout, bytes, sizeof(bytes), 1, 1, x, y),
	      SMARTQUANT_STATUS_INVALID_INPUT, "row bytes");
}

static void test_tuned(smartquant_store *store)
{
	const smartquant_store_request importance = { .importance = weights,
						      .importance_count = COLS };
	smartquant_read_request request = { 0 };
	smartquant_region *region = NULL;
	smartquant_layout layout;
	static unsigned char bytes[ROWS * COLS * 2];
	static float values[ROWS * COLS];
	float levels[256];

	OK(smartquant_format_parse("tuned8", &request.format));
	OK(smartquant_region_create(store, "tuned", SMARTQUANT_DTYPE_FP32,
				    SMARTQUANT_PLACEMENT_TUNED, ROWS, COLS, &region));
	OK(smartquant_region_store(region, NULL, weights, sizeof(weights), NULL));
	OK(smartquant_region_layout(region, &request, &layout));
	OK(smartquant_region_fetch(region, &request, bytes, sizeof(bytes), NULL));
	OK(smartquant_region_levels(region, 8, levels));
	OK(smartquant_decode_levels(&layout, levels, bytes, layout.bytes, 0, ROWS, values));
	for (unsigned int i = 0; i < ROWS * COLS; i++)
		CHECK(fabsf(values[i] - weights[i]) <= 0.2f);
	FAILS(smartquant_decode(&layout, bytes, layout.bytes, 0, ROWS, values),
	      SMARTQUANT_STATUS_FORMAT, "tuned8");
	FAILS(smartquant_region_levels(region, 9, levels), SMARTQUANT_STATUS_FORMAT, "9");
	FAILS(smartquant_region_store(region, &importance, weights, sizeof(weights), NULL),
	      SMARTQUANT_STATUS_INVALID_INPUT, "importance of column 0");
	OK(smartquant_region_remove(region));
	smartquant_region_release(region);
}

static void test_vector(smartquant_store *store, smartquant_region *region)
{
	const uint16_t formats[] = { SMARTQUANT_FORMAT_MXINT(8), SMARTQUANT_FORMAT_NATIVE };
	smartquant_vector_request request = { .formats = formats, .format_count = 2,
					      .rows_per_format = 30 };
	smartquant_layout layouts[2];
	smartquant_fetch_result result;
	smartquant_completion completion;
	smartquant_queue *queue = NULL;
	uint64_t offsets[3], again[3];
	static unsigned char bytes[2][ROWS * COLS * 4];
	float values[10 * COLS];

	OK(smartquant_region_vector_layout(region, &request, layouts, offsets));
	CHECK(offsets[0] == 0 && offsets[1] == 30 * (COLS + COLS / 32));
	CHECK(offsets[2] == offsets[1] + 10 * COLS * 4 && layouts[1].rows == 10);
	OK(smartquant_region_fetch_vector(region, &request, bytes[0], sizeof(bytes[0]), again,
					  &result));
	CHECK(memcmp(offsets, again, sizeof(offsets)) == 0 && result.bytes == offsets[2]);
	CHECK(memcmp(bytes[0] + offsets[1], weights + 30 * COLS, 10 * COLS * 4) == 0);
	OK(smartquant_decode(&layouts[0], bytes[0], offsets[1], 3, 10, values));
	CHECK(memcmp(values, weights + 3 * COLS, sizeof(values)) == 0);
	OK(smartquant_region_fetch_vector(region, &request, bytes[0], sizeof(bytes[0]), NULL,
					  NULL));
	OK(smartquant_queue_open(store, 0, &queue));
	OK(smartquant_queue_fetch_vector(queue, region, &request, bytes[1], sizeof(bytes[1]), 7));
	OK(smartquant_queue_wait(queue, &completion));
	CHECK(completion.tag == 7 && completion.fetch.bytes == offsets[2]);
	CHECK(memcmp(bytes[0], bytes[1], offsets[2]) == 0);
	smartquant_queue_release(queue);
	request.format_count = 1;
	FAILS(smartquant_region_vector_layout(region, &request, NULL, NULL),
	      SMARTQUANT_STATUS_INVALID_INPUT, "need 2");
	request.formats = NULL;
	FAILS(smartquant_region_vector_layout(region, &request, NULL, NULL),
	      SMARTQUANT_STATUS_INVALID_INPUT, "NULL");
}

static void test_views(smartquant_region *region)
{
	const smartquant_read_request request = { .format = SMARTQUANT_FORMAT_MXINT(8) };

	for (int cached = 0; cached < 2; cached++) {
		smartquant_view *view = NULL;
		smartquant_layout layout;
		const void *data = NULL, *row = NULL;
		size_t bytes = 0;
		float values[COLS], x[COLS] = { 0 }, y[1];

		OK(smartquant_view_map(region, &request, cached, &view));
		OK(smartquant_view_layout(view, &layout));
		OK(smartquant_view_bytes(view, &data, &bytes));
		CHECK(bytes == layout.bytes);
		OK(smartquant_view_codes(view, 2, &row, &bytes));
		CHECK(row == (const char *)data + 2 * layout.code_row_bytes);
		OK(smartquant_view_scales(view, 0, &row, &bytes));
		CHECK(bytes == COLS / 32);
		OK(smartquant_view_micro(view, 0, &row, &bytes));
		CHECK(bytes == 0);
		OK(smartquant_view_decode(view, 7, 1, values));
		CHECK(memcmp(values, weights + 7 * COLS, sizeof(values)) == 0);
		x[5] = 2;
		OK(smartquant_view_multiply(view, 7, 1, x, y));
		CHECK(y[0] == 2 * weights[7 * COLS + 5]);
		FAILS(smartquant_view_codes(view, ROWS, &row, &bytes), SMARTQUANT_STATUS_RANGE,
		      "row 40");
		smartquant_view_release(view);
	}
	smartquant_view_release(NULL);
}

static void test_multipliers(smartquant_region *region)
{
	smartquant_multiplier_request request = { .format = SMARTQUANT_FORMAT_MXINT(8),
						  .first_row = 7 };
	smartquant_multiplier *multiplier = NULL;
	smartquant_fetch_result result;
	smartquant_layout layout;
	float x[COLS] = { 0 }, y[ROWS], scale[(COLS + 31) / 32];
	int8_t codes[COLS];

	x[5] = 2;
	OK(smartquant_quantize_activations(x, COLS, codes, scale));
	CHECK(codes[5] == 127 && codes[6] == 0 && scale[0] == 2.0f / 127);
	for (uint8_t arithmetic = SMARTQUANT_ARITHMETIC_INT8;
	     arithmetic <= SMARTQUANT_ARITHMETIC_FP32; arithmetic++) {
		request.arithmetic = arithmetic;
		OK(smartquant_multiplier_create(region, &request, &multiplier));
		OK(smartquant_multiplier_layout(multiplier, &layout));
		CHECK(layout.rows == ROWS - 7 && layout.cols == COLS);
		OK(smartquant_multiplier_multiply(multiplier, x, y, 1, &result));
		CHECK(result.elements == (ROWS - 7) * COLS && result.plane_lines > 0);
		CHECK(fabsf(y[0] - 2 * weights[7 * COLS + 5]) < 1e-5f);
		FAILS(smartquant_multiplier_multiply(multiplier, x, y, 17, NULL),
		      SMARTQUANT_STATUS_INVALID_INPUT, "17 columns");
		smartquant_multiplier_release(multiplier);
	}
	request.rounding = SMARTQUANT_ROUNDING_EVEN;
	FAILS(smartquant_multiplier_create(region, &request, &multiplier),
	      SMARTQUANT_STATUS_UNSUPPORTED, "rounding even");
	smartquant_multiplier_release(NULL);
}

static void test_queue(smartquant_store *store, smartquant_region *region)
{
	smartquant_queue *queue = NULL;
	smartquant_completion completion;
	static float copies[4][ROWS * COLS];
	uint32_t count = 0;

	OK(smartquant_queue_open(store, 0, &queue));
	for (uint64_t tag = 0; tag < 4; tag++)
		OK(smartquant_queue_fetch(queue, region, NULL, copies[tag], sizeof(copies[tag]),
					  tag));
	OK(smartquant_queue_in_flight(queue, &count));
	CHECK(count == 4);
	while (count--) {
		OK(smartquant_queue_wait(queue, &completion));
		CHECK(completion.status == SMARTQUANT_STATUS_SUCCESS && completion.tag < 4);
		CHECK(memcmp(copies[completion.tag], weights, sizeof(weights)) == 0);
	}
	FAILS(smartquant_queue_wait(queue, &completion), SMARTQUANT_STATUS_INVALID_INPUT,
	      "nothing is in flight");
	weights[5] = INFINITY;
	OK(smartquant_queue_store(queue, region, NULL, weights, sizeof(weights), 9));
	OK(smartquant_queue_wait(queue, &completion));
	CHECK(completion.tag == 9 && completion.status == SMARTQUANT_STATUS_NON_FINITE);
	CHECK(strstr(completion.message, "row 0, column 5") != NULL);
	smartquant_queue_release(queue);
}

static bool stop_at_once(void *context, double done)
{
	(void)done;
	++*(int *)context;
	return false;
}

static void test_verify_and_statistics(smartquant_store *store, smartquant_region *region)
{
	smartquant_verify_result result;
	smartquant_statistics statistics;
	int calls = 0;

	OK(smartquant_store_verify(store, NULL, NULL, &result));
	CHECK(result.runs_checked > 0 && result.runs_bad == 0 && result.complete);
	OK(smartquant_region_verify(region, stop_at_once, &calls, &result));
	CHECK(calls == 1 && !result.complete);
	OK(smartquant_region_get_statistics(region, &statistics));
	CHECK(statistics.requests > 0 && statistics.stores == 1);
	OK(smartquant_store_get_format_statistics(store, SMARTQUANT_FORMAT_MXINT(8), &statistics));
	CHECK(statistics.requests > 0);
	OK(smartquant_store_reset_format_statistics(store, SMARTQUANT_FORMAT_MXINT(8)));
	OK(smartquant_store_get_format_statistics(store, SMARTQUANT_FORMAT_MXINT(8), &statistics));
	CHECK(statistics.requests == 0);
	OK(smartquant_region_reset_statistics(region));
	OK(smartquant_store_reset_statistics(store));
	OK(smartquant_store_get_statistics(store, &statistics));
	CHECK(statistics.requests == 0);
}

static void test_end(smartquant_store *store, smartquant_region *region)
{
	smartquant_region *found = NULL;
	smartquant_region_info info;

	OK(smartquant_region_set_precision(region, SMARTQUANT_FORMAT_MXINT(4)));
	OK(smartquant_region_seal(region));
	OK(smartquant_region_pack(region));
	FAILS(smartquant_region_pack(NULL), SMARTQUANT_STATUS_INVALID_INPUT, "");
	OK(smartquant_region_find(store, "w", &found));
	OK(smartquant_region_get_info(found, &info));
	CHECK(info.sealed && info.coding == SMARTQUANT_CODING_PACKED && info.precision == SMARTQUANT_FORMAT_MXINT(4));
	FAILS(smartquant_region_store(found, NULL, weights, sizeof(weights), NULL),
	      SMARTQUANT_STATUS_SEALED, "region \"w\"");
	OK(smartquant_region_remove(found));
	FAILS(smartquant_region_get_info(found, &info), SMARTQUANT_STATUS_CLOSED, "removed");
	FAILS(smartquant_region_get_info(region, &info), SMARTQUANT_STATUS_INVALID_HANDLE,
	      "region \"w\"");
	smartquant_region_release(found);
	smartquant_region_release(region);
	FAILS(smartquant_region_find(store, "w", &found), SMARTQUANT_STATUS_NOT_FOUND, "\"w\"");
	OK(smartquant_store_sanitize(store));
}

int main(void)
{
	const smartquant_open_options options = { .size_bytes = 16u << 20 };
	smartquant_store *store = NULL;
	smartquant_region *region;

	CHECK(strlen(smartquant_version()) >= 5);
	CHECK(strcmp(smartquant_status_text(SMARTQUANT_STATUS_SUCCESS), "success") == 0);
	CHECK(strcmp(smartquant_status_text(0x7777), "unknown status") == 0);
	FAILS(smartquant_store_open("nonsense:", NULL, &store), SMARTQUANT_STATUS_INVALID_INPUT,
	      "nonsense:");
	FAILS(smartquant_store_open(NULL, NULL, &store), SMARTQUANT_STATUS_INVALID_INPUT, "NULL");
	OK(smartquant_store_open("embedded:", &options, &store));
	if (!store)
		return 1;
	CHECK(smartquant_last_error()[0] == '\0');
	region = stored_region(store);
	test_store(store);
	test_formats();
	test_fetch(region);
	test_tuned(store);
	test_vector(store, region);
	test_views(region);
	test_multipliers(region);
	test_queue(store, region);
	test_verify_and_statistics(store, region);
	test_end(store, region);
	smartquant_store_release(store);
	return failures;
}
