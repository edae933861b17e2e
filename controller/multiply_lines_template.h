/* SPDX-License-Identifier: MIT */
/*
 * The vector versions of multiply_lines.h, one template
 *
 * Included once a level by multiply_lines_x86.c, which defines what differs:
 *
 *   LEVEL(name)      a name of this level
 *   TARGET           its target attribute
 *   VECTOR, FLOATS   its vectors of integers and of fp32
 *   VECTOR_BYTES     their size
 *
 * and small functions on them (of two vectors of bytes, `unpack` interleaves
 * within lanes of 16 bytes). A line is taken in parts of VECTOR_BYTES:
 *
 *   planes      one vector each: bit i of a byte is element i of eight
 *   offset      sign and magnitude become codes u = m + 2^(bits-1), still bit by
 *               bit: two operations a plane for all elements of the part
 *   mix         up to 4 bits: planes exchange bits until a byte holds two codes
 *               or four, of elements that had a bit in it before; no byte moves
 *   transpose   more bits: a quadword gets the same bytes of all planes, and
 *               becomes eight bytes of codes
 *   dot         eight vectors of codes meet eight of activations, in the order
 *               of sqc_activation_place()
 */

#define PARTS		(SQC_LINE_BYTES / VECTOR_BYTES)
#define PART_GROUPS	(VECTOR_BYTES / 4)
#define CODE_VECTORS	8u
#define FP32_ROWS	2u

/* Columns of eight vectors of floats: the compiler takes them at fixed distances. */
#define FP32_STEP	(8u * PART_GROUPS)

/* Vectors that hold the codes of a part, 8 / VECTORS codes a byte. */
#define VECTORS(bits)	((bits) > 4 ? 8u : (bits) > 2 ? 4u : 2u)

/* Rounds magnitudes, lowest plane first, up where the guard plane is set; the
 * largest magnitude stays. */
TARGET INLINE void LEVEL(round)(VECTOR *p, unsigned int magnitudes, VECTOR guard)
{
	VECTOR carry = guard;

	for (unsigned int j = 0; j < magnitudes; j++) {
		const VECTOR next = LEVEL(and)(p[j], carry);

		p[j] = LEVEL(xor)(p[j], carry);
		carry = next;
	}
	for (unsigned int j = 0; j < magnitudes; j++)
		p[j] = LEVEL(or)(p[j], carry);
}

/*
 * Negating in two's complement turns over every bit above the lowest one that
 * is set. Adding 2^(bits-1) turns over the sign: it is 0 for a negative code,
 * and -0 is not one.
 */
TARGET INLINE void LEVEL(offset)(VECTOR *p, unsigned int magnitudes, VECTOR sign)
{
	VECTOR any = p[0];

	for (unsigned int j = 1; j < magnitudes; j++) {
		const VECTOR next = LEVEL(or)(any, p[j]);

		p[j] = LEVEL(xor_and)(p[j], sign, any);
		any = next;
	}
	p[magnitudes] = LEVEL(nand)(sign, any);
}

TARGET INLINE void LEVEL(interleave_2)(const VECTOR *row, VECTOR *out)
{
	out[0] = LEVEL(unpack_low_8)(row[0], row[1]);
	out[1] = LEVEL(unpack_high_8)(row[0], row[1]);
}

TARGET INLINE void LEVEL(interleave_4)(const VECTOR *row, VECTOR *out)
{
	VECTOR pair[4];

	LEVEL(interleave_2)(row, pair);
	LEVEL(interleave_2)(row + 2, pair + 2);
	for (unsigned int k = 0; k < 2; k++) {
		out[2 * k] = LEVEL(unpack_low_16)(pair[k], pair[2 + k]);
		out[2 * k + 1] = LEVEL(unpack_high_16)(pair[k], pair[2 + k]);
	}
}

TARGET INLINE void LEVEL(interleave_8)(const VECTOR *row, VECTOR *out)
{
	VECTOR half[8];

	LEVEL(interleave_4)(row, half);
	LEVEL(interleave_4)(row + 4, half + 4);
	for (unsigned int k = 0; k < 4; k++) {
		out[2 * k] = LEVEL(unpack_low_32)(half[k], half[4 + k]);
		out[2 * k + 1] = LEVEL(unpack_high_32)(half[k], half[4 + k]);
	}
}

/*
 * Codes of up to 4 bits, from planes. A step of 1 makes pairs of bits of two
 * planes, a step of 2 makes fours of pairs. Then byte b of vector v has in field
 * f the code of element f * VECTORS + v of the eight in byte b of a plane.
 */
TARGET INLINE void LEVEL(mixed)(const VECTOR *p, unsigned int bits, VECTOR *out)
{
	VECTOR low[2], high[2];

	if (bits == 2) {
		LEVEL(mix)(p[1], p[0], 1, &out[0], &out[1]);
		return;
	}
	LEVEL(mix)(p[1], p[0], 1, &low[0], &low[1]);
	if (bits == 4) {
		LEVEL(mix)(p[3], p[2], 1, &high[0], &high[1]);
	} else {
		/* Nothing is above: what lands there is not of a field. */
		high[0] = p[2];
		high[1] = LEVEL(right)(p[2], 1);
	}
	for (unsigned int v = 0; v < 2; v++)
		LEVEL(mix)(high[v], low[v], 2, &out[v], &out[2 + v]);
}

/* Codes of more bits: the first row of eight gives the highest bit. */
TARGET INLINE void LEVEL(transposed)(const VECTOR *p, unsigned int bits, VECTOR *out)
{
	VECTOR row[8], quad[8];

	for (unsigned int r = 0; r < 8; r++)
		row[r] = 7 - r < bits ? p[7 - r] : LEVEL(zero)();
	LEVEL(interleave_8)(row, quad);
	for (unsigned int v = 0; v < 8; v++)
		out[v] = LEVEL(transpose)(quad[v]);
}

/* The codes u of a part of a line, as many vectors as VECTORS says. */
TARGET INLINE void LEVEL(vectors)(const struct sqc_plane_lines *at, unsigned int bits,
					 bool guard, uint64_t byte, VECTOR *out)
{
	VECTOR p[8];

	for (unsigned int j = 0; j + 1 < bits; j++)
		p[j] = LEVEL(load)(at->plane[bits - 1 - j] + byte);
	if (guard)
		LEVEL(round)(p, bits - 1, LEVEL(load)(at->plane[bits] + byte));
	LEVEL(offset)(p, bits - 1, LEVEL(load)(at->plane[0] + byte));
	if (bits > 4)
		LEVEL(transposed)(p, bits, out);
	else
		LEVEL(mixed)(p, bits, out);
}

/* The same, one a byte, in the order of sqc_activation_place(). */
TARGET INLINE void LEVEL(codes)(const struct sqc_plane_lines *at, unsigned int bits,
				       bool guard, uint64_t byte, VECTOR codes[CODE_VECTORS])
{
	const unsigned int vectors = VECTORS(bits);
	VECTOR shared[CODE_VECTORS];

	LEVEL(vectors)(at, bits, guard, byte, shared);
	for (unsigned int k = 0; k < CODE_VECTORS; k++)
		codes[k] = vectors == 8 ? shared[k] :
					  LEVEL(field)(shared[k % vectors], k / vectors, bits);
}

/* A part's codes times activations, up to 4 bits those of odd fields apart:
 * group_sums() makes sums of groups of them. */
TARGET INLINE void LEVEL(dots)(const VECTOR codes[CODE_VECTORS], unsigned int bits,
				      const int8_t *x, const int32_t *start, VECTOR sum[4])
{
	for (unsigned int k = 0; k < 4; k++)
		sum[k] = k == 0 && bits <= 4 ? LEVEL(sum_begin)(start) : LEVEL(zero)();
	for (unsigned int k = 0; k < CODE_VECTORS; k++) {
		VECTOR *to = &sum[bits > 4 ? k / 2 : k / VECTORS(bits) % 2];

		*to = LEVEL(dot)(*to, codes[k], x + k * SQC_LINE_BYTES, bits);
	}
}

/* The sums over m of the part's groups, in order. */
TARGET INLINE VECTOR LEVEL(group_sums)(const VECTOR sum[4], unsigned int bits,
					      const int32_t *start)
{
	if (bits <= 4)
		return LEVEL(sum_end)(sum[0], sum[1], bits, start);
	return LEVEL(add)(LEVEL(sums_of_4)(sum[0], sum[1], sum[2], sum[3]), LEVEL(load)(start));
}

/*
 * One column. The codes of the next part are made between the dots of one and
 * their sums: a core looks only so many instructions ahead, and those that wait
 * for a result take the places of others.
 */
TARGET INLINE void LEVEL(rows_single)(const struct sqc_multiply_job *job, unsigned int bits,
					     bool guard)
{
	VECTOR codes[CODE_VECTORS];
	struct ahead ahead = { .until = 0 };

	LEVEL(codes)(job->at, bits, guard, job->byte, codes);
	for (uint32_t row = 0; row < job->rows; row++) {
		const struct sqc_activation_line *in = job->x->int8 + job->first_line;
		uint64_t byte = job->byte + row * job->row_bytes;
		const uint64_t end = byte + (uint64_t)job->lines * SQC_LINE_BYTES;
		const uint64_t next_row = row + 1 < job->rows ? byte + job->row_bytes : byte;
		FLOATS lane[PARTS];

		for (unsigned int part = 0; part < PARTS; part++)
			lane[part] = LEVEL(load_floats)(job->lanes[row] + part * PART_GROUPS);
		for (; byte < end; byte += SQC_LINE_BYTES, in++) {
			const uint64_t next = byte + SQC_LINE_BYTES < end ? byte + SQC_LINE_BYTES :
									    next_row;

			for (unsigned int part = 0; part < PARTS; part++) {
				const uint32_t group = part * PART_GROUPS;
				const FLOATS weight = LEVEL(times)(
					LEVEL(load_floats)(in->scales + group),
					LEVEL(powers)(job->at->exponents + byte / 4 + group));
				VECTOR sum[4];

				LEVEL(dots)(codes, bits, in->codes + part * VECTOR_BYTES,
					    in->start + group, sum);
				LEVEL(codes)(job->at, bits, guard,
					     part + 1 < PARTS ? byte + (part + 1) * VECTOR_BYTES : next,
					     codes);
				lane[part] = LEVEL(fused)(
					LEVEL(to_floats)(LEVEL(group_sums)(sum, bits, in->start + group)),
					weight, lane[part]);
			}
			ahead_of(job, bits + guard, byte, &ahead);
		}
		for (unsigned int part = 0; part < PARTS; part++)
			LEVEL(store_floats)(job->lanes[row] + part * PART_GROUPS, lane[part]);
	}
}

/* A part of a line times several columns, to the lanes of each. */
TARGET INLINE void LEVEL(part_several)(const struct sqc_multiply_job *job, unsigned int bits,
					      bool guard, uint64_t byte,
					      const struct sqc_activation_line *in, unsigned int part,
					      float (*lanes)[SQC_LANES])
{
	const uint32_t group = part * PART_GROUPS;
	const FLOATS power = LEVEL(powers)(job->at->exponents + byte / 4);
	VECTOR codes[CODE_VECTORS];

	LEVEL(codes)(job->at, bits, guard, byte, codes);
	for (uint32_t column = 0; column < job->x->columns; column++, in += job->x->lines) {
		float *lane = lanes[column] + group;
		VECTOR sum[4];

		LEVEL(dots)(codes, bits, in->codes + part * VECTOR_BYTES, in->start + group, sum);
		LEVEL(store_floats)(lane, LEVEL(fused)(
			LEVEL(to_floats)(LEVEL(group_sums)(sum, bits, in->start + group)),
			LEVEL(times)(LEVEL(load_floats)(in->scales + group), power),
			LEVEL(load_floats)(lane)));
	}
}

TARGET INLINE void LEVEL(line_several)(const struct sqc_multiply_job *job, unsigned int bits,
					      bool guard, uint32_t row, uint32_t line,
					      struct ahead *ahead)
{
	const struct sqc_activations *x = job->x;
	const struct sqc_activation_line *in = x->int8 + job->first_line + line;
	const uint64_t byte = job->byte + row * job->row_bytes + line * SQC_LINE_BYTES;
	float (*lanes)[SQC_LANES] = job->lanes + (size_t)row * x->columns;

	ahead_of(job, bits + guard, byte, ahead);
	for (unsigned int part = 0; part < PARTS; part++)
		LEVEL(part_several)(job, bits, guard, byte + part * VECTOR_BYTES, in, part, lanes);
}

/*
 * Several columns: codes are made once. A row after the other is the order of
 * memory; but where the activations of a row are more than the first level
 * holds, a line of all rows comes before the next one.
 */
TARGET INLINE void LEVEL(rows_several)(const struct sqc_multiply_job *job, unsigned int bits,
					      bool guard)
{
	const bool by_line = job->x->columns >= BY_LINE_COLUMNS;
	const uint32_t outer = by_line ? job->lines : job->rows;
	const uint32_t inner = by_line ? job->rows : job->lines;

	for (uint32_t i = 0; i < outer; i++) {
		struct ahead ahead = { .until = 0 };

		for (uint32_t j = 0; j < inner; j++)
			LEVEL(line_several)(job, bits, guard, by_line ? j : i, by_line ? i : j,
					    &ahead);
	}
}

/* What a code of each group of a line counts for: 2^(e-127-(bits-2)), which fp32
 * has for every e; of infinity less infinity comes the NaN for e = 255. */
TARGET INLINE void LEVEL(units)(const uint8_t *exponents, unsigned int bits, float *units)
{
	for (unsigned int part = 0; part < PARTS; part++) {
		const FLOATS power = LEVEL(powers)(exponents + part * PART_GROUPS);
		const FLOATS unit = LEVEL(times)(power, LEVEL(all)(1.0f / (float)(1u << (bits - 2))));

		LEVEL(store_floats)(units + part * PART_GROUPS,
				    LEVEL(plus)(unit, LEVEL(minus)(power, power)));
	}
}

/* A line of a row on its way to fp32. */
struct LEVEL(line) {
	/* Vectors of codes, interleaved byte by byte: what was one byte of a plane,
	 * eight columns, is VECTORS bytes. */
	uint8_t codes[SQC_LINE_ELEMENTS] __attribute__((aligned(SQC_LINE_BYTES)));
	float units[SQC_LANES] __attribute__((aligned(SQC_LINE_BYTES)));
};

TARGET INLINE void LEVEL(line_make)(const struct sqc_multiply_job *job, unsigned int bits,
					   bool guard, uint64_t byte, struct LEVEL(line) *line)
{
	const unsigned int vectors = VECTORS(bits);

	for (unsigned int part = 0; part < PARTS; part++) {
		VECTOR codes[CODE_VECTORS], together[CODE_VECTORS];

		LEVEL(vectors)(job->at, bits, guard, byte + part * VECTOR_BYTES, codes);
		if (vectors == 2)
			LEVEL(interleave_2)(codes, together);
		else if (vectors == 4)
			LEVEL(interleave_4)(codes, together);
		/* Transposed ones lie together already. */
		for (unsigned int k = 0; k < vectors; k++)
			LEVEL(store)(line->codes + k * SQC_LINE_BYTES + part * VECTOR_BYTES,
				     vectors == 8 ? codes[k] : together[k]);
	}
	LEVEL(units)(job->at->exponents + byte / 4, bits, line->units);
}

/* The weights of some columns. Codes come as fp32 2^23 + u, which is u in a constant's
 * lowest bits. */
TARGET INLINE FLOATS LEVEL(weights)(const struct LEVEL(line) *line, unsigned int bits, uint32_t col)
{
	const FLOATS zero = LEVEL(all)((float)(1u << 23) + (float)(1u << (bits - 1)));
	const unsigned int vectors = VECTORS(bits), in_lane = 16 / vectors;
	const uint32_t b = col / 8;
	const uint8_t *codes = line->codes + b % 16 / in_lane * SQC_LINE_BYTES + b / 16 * 16 +
			       b % in_lane * vectors;
	const FLOATS u = vectors == 8 ? LEVEL(widen)(codes) : LEVEL(cut)(codes, bits);

	return LEVEL(times)(LEVEL(minus)(u, zero), LEVEL(all)(line->units[col / SQC_GROUP_ELEMENTS]));
}

/* One column, of so many rows: the additions of one row wait for each other. */
TARGET INLINE void LEVEL(block_fp32)(const struct sqc_multiply_job *job, unsigned int bits,
					    bool guard, uint32_t row, unsigned int rows,
					    struct ahead *ahead)
{
	const float *in = job->x->fp32 + (size_t)job->first_line * SQC_LINE_ELEMENTS;
	FLOATS lane[FP32_ROWS][PARTS];

	for (unsigned int r = 0; r < rows; r++)
		for (unsigned int part = 0; part < PARTS; part++)
			lane[r][part] = LEVEL(load_floats)(job->lanes[row + r] + part * PART_GROUPS);
	for (uint32_t line = 0; line < job->lines; line++, in += SQC_LINE_ELEMENTS) {
		struct LEVEL(line) lines[FP32_ROWS];

		for (unsigned int r = 0; r < rows; r++) {
			const uint64_t byte = job->byte + (row + r) * job->row_bytes +
					      line * SQC_LINE_BYTES;

			/* In the order of memory, whatever row they are of. */
			ahead_of(job, bits + guard, job->byte + row * job->row_bytes +
				 (line * rows + r) * SQC_LINE_BYTES, ahead);
			LEVEL(line_make)(job, bits, guard, byte, &lines[r]);
		}
		for (uint32_t first = 0; first < SQC_LINE_ELEMENTS; first += FP32_STEP)
#pragma GCC unroll 8
			for (uint32_t col = first; col < first + FP32_STEP; col += PART_GROUPS) {
				const unsigned int part = col / PART_GROUPS % PARTS;
				const FLOATS x = LEVEL(load_floats)(in + col);

				for (unsigned int r = 0; r < rows; r++)
					lane[r][part] = LEVEL(plus)(
						lane[r][part],
						LEVEL(times)(LEVEL(weights)(&lines[r], bits, col), x));
			}
	}
	for (unsigned int r = 0; r < rows; r++)
		for (unsigned int part = 0; part < PARTS; part++)
			LEVEL(store_floats)(job->lanes[row + r] + part * PART_GROUPS, lane[r][part]);
}

/* Several columns: weights are made once. */
TARGET INLINE void LEVEL(line_fp32)(const struct sqc_multiply_job *job, unsigned int bits,
					   bool guard, uint32_t row, uint32_t line,
					   struct ahead *ahead)
{
	const struct sqc_activations *x = job->x;
	const uint64_t byte = job->byte + row * job->row_bytes + line * SQC_LINE_BYTES;
	float (*lanes)[SQC_LANES] = job->lanes + (size_t)row * x->columns;
	float weights[SQC_LINE_ELEMENTS] __attribute__((aligned(SQC_LINE_BYTES)));
	struct LEVEL(line) made;

	ahead_of(job, bits + guard, byte, ahead);
	LEVEL(line_make)(job, bits, guard, byte, &made);
	for (uint32_t col = 0; col < SQC_LINE_ELEMENTS; col += PART_GROUPS)
		LEVEL(store_floats)(weights + col, LEVEL(weights)(&made, bits, col));
	for (uint32_t column = 0; column < x->columns; column++) {
		const float *in = x->fp32 + ((size_t)column * x->lines + job->first_line + line) *
						    SQC_LINE_ELEMENTS;
		FLOATS lane[PARTS];

		for (unsigned int part = 0; part < PARTS; part++)
			lane[part] = LEVEL(load_floats)(lanes[column] + part * PART_GROUPS);
		for (uint32_t i = 0; i < SQC_LINE_ELEMENTS; i += PART_GROUPS)
			lane[i / PART_GROUPS % PARTS] = LEVEL(plus)(
				lane[i / PART_GROUPS % PARTS],
				LEVEL(times)(LEVEL(load_floats)(weights + i),
					     LEVEL(load_floats)(in + i)));
		for (unsigned int part = 0; part < PARTS; part++)
			LEVEL(store_floats)(lanes[column] + part * PART_GROUPS, lane[part]);
	}
}

TARGET INLINE void LEVEL(rows_fp32)(const struct sqc_multiply_job *job, unsigned int bits,
					   bool guard)
{
	struct ahead ahead = { .until = 0 };
	uint32_t row = 0;

	if (job->x->columns > 1) {
		for (; row < job->rows; row++)
			for (uint32_t line = 0; line < job->lines; line++)
				LEVEL(line_fp32)(job, bits, guard, row, line, &ahead);
		return;
	}
	for (; row + FP32_ROWS <= job->rows; row += FP32_ROWS)
		LEVEL(block_fp32)(job, bits, guard, row, FP32_ROWS, &ahead);
	for (; row < job->rows; row++)
		LEVEL(block_fp32)(job, bits, guard, row, 1, &ahead);
}

/* Each width with and without a guard plane gets code of its own. */
#define WIDTH(bits)									\
	TARGET static void LEVEL(int8_##bits)(const struct sqc_multiply_job *job)	\
	{										\
		const bool guard = job->planes > bits;					\
		const bool single = job->x->columns == 1;				\
											\
		if (single && !guard)							\
			LEVEL(rows_single)(job, bits, false);				\
		else if (single)							\
			LEVEL(rows_single)(job, bits, true);				\
		else if (!guard)							\
			LEVEL(rows_several)(job, bits, false);				\
		else									\
			LEVEL(rows_several)(job, bits, true);				\
	}										\
	TARGET static void LEVEL(fp32_##bits)(const struct sqc_multiply_job *job)	\
	{										\
		if (job->planes > bits)							\
			LEVEL(rows_fp32)(job, bits, true);				\
		else									\
			LEVEL(rows_fp32)(job, bits, false);				\
	}

WIDTH(2)
WIDTH(3)
WIDTH(4)
WIDTH(5)
WIDTH(6)
WIDTH(7)
WIDTH(8)

void LEVEL(sqc_multiply_lines)(const struct sqc_multiply_job *job)
{
	static void (*const widths[][2])(const struct sqc_multiply_job *) = {
		{ LEVEL(int8_2), LEVEL(fp32_2) }, { LEVEL(int8_3), LEVEL(fp32_3) },
		{ LEVEL(int8_4), LEVEL(fp32_4) }, { LEVEL(int8_5), LEVEL(fp32_5) },
		{ LEVEL(int8_6), LEVEL(fp32_6) }, { LEVEL(int8_7), LEVEL(fp32_7) },
		{ LEVEL(int8_8), LEVEL(fp32_8) },
	};

	widths[job->x->bits - 2][job->x->arithmetic](job);
}

#undef WIDTH
#undef PARTS
#undef PART_GROUPS
#undef CODE_VECTORS
#undef FP32_ROWS
#undef FP32_STEP
#undef VECTORS

#undef LEVEL
#undef TARGET
#undef VECTOR
#undef FLOATS
#undef VECTOR_BYTES
