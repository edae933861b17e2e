/* SPDX-License-Identifier: MIT */
/*
 * The template of the family `planes`: included once a level by planes.c
 *
 *   LANES       32-bit words in a vector, so 32 * LANES elements in a block
 *   TARGET      attribute of the level
 *   NAME(x)     x with the level's suffix
 * and defined before:
 *   NAME(vector)         LANES words; planes and bytes come in these
 *   NAME(is_zero)        no bit of a vector is 1
 *   NAME(bytes_of)       8 planes to the bytes of a block, plane 0 in bit 7
 *   NAME(planes_of)      back, from bytes as a NAME(load_*) orders them
 *   NAME(load_bytes), NAME(load_words), NAME(load_doubles), NAME(store_words),
 *   NAME(store_doubles)  words of 1, 2 and 4 bytes to their bytes, and back
 *   NAME(store_codes)    n planes to packed codes
 *   NAME(stream_vector)  a vector to memory, around the caches
 * and, with ALIGNS_WORDS, for bf16:
 *   NAME(tops_in)        of each group of a block: its exponent byte, and its top (below)
 *   NAME(distances_in)   the tops less the words, as NAME(load_words) has these
 *   NAME(zeros_in)       which words are +0 or -0
 *   NAME(unalign_words)  signs and planes of magnitudes to words, where no element can
 *                        be subnormal or too large
 * and, with FOLDS:
 *   NAME(line_leaves)    a line of a plane from a full stage to its run, and its sum
 *   NAME(sum_begin), NAME(sum_end)	from a CRC to a sum, and back
 *
 * Arithmetic is done on planes: a vector is one bit of each element, all
 * elements of a block at once. As the lanes are groups, a number that a group
 * has once (its exponent) is a vector of lanes that are all ones or zero.
 */

#define VECTOR		NAME(vector)
#define BLOCK		(32u * LANES)

#ifndef ALIGNS_WORDS
#define ALIGNS_WORDS	0
TARGET INLINE void NAME(tops_in)(const uint8_t *words, uint8_t *exponents, uint32_t *tops)
{
	(void)words, (void)exponents, (void)tops;
}

TARGET INLINE void NAME(distances_in)(const uint8_t *words, const uint32_t *tops, VECTOR *high, VECTOR *low)
{
	(void)words, (void)tops, (void)high, (void)low;
}

TARGET INLINE VECTOR NAME(zeros_in)(const uint8_t *words)
{
	(void)words;
	return (VECTOR){ 0 };
}

TARGET INLINE void NAME(unalign_words)(const uint8_t *exponents, const uint8_t *signs,
				       const VECTOR *magnitude, uint8_t *words)
{
	(void)exponents, (void)signs, (void)magnitude, (void)words;
}
#endif

#ifndef FOLDS
#define FOLDS		0
TARGET INLINE void NAME(line_leaves)(const struct leaving *leaving, unsigned int plane, uint32_t place)
{
	(void)leaving, (void)plane, (void)place;
}

TARGET INLINE void NAME(sum_begin)(uint32_t crc, uint8_t *sum)
{
	(void)crc, (void)sum;
}

TARGET INLINE uint32_t NAME(sum_end)(const uint8_t *sum)
{
	(void)sum;
	return 0;
}
#endif

/* ------------------------------------------------------------ in and out */

/* A vector of each plane from plane `low` on. */
TARGET INLINE void NAME(planes_load)(const struct sqc_planes *planes, unsigned int low,
				     unsigned int count, uint32_t at, VECTOR *plane)
{
	const uint32_t offset = (planes->first + at) / 8;

	for (unsigned int p = 0; p < count; p++)
		memcpy(&plane[p], planes->run[low + p] + offset, sizeof(VECTOR));
}

/* What happens besides while a block is made of `words`: a row leaves the stage before, and as
 * many words come closer. These are few lines at a time, as a CPU waits when it is
 * asked for many at once. */
TARGET INLINE void NAME(row_leaves)(const struct made *to, uint32_t at, unsigned int rows, unsigned int row,
				    const uint8_t *words)
{
	const uint32_t place = at / BLOCK * rows + row, run = place / STAGE_LINES * ROW_RUNS;

	if (to->ahead)
		sqc_expect((uintptr_t)words + to->ahead + row * ROW_RUNS * sizeof(VECTOR),
			   ROW_RUNS * sizeof(VECTOR));
	if (!FOLDS || !to->leaving.stage)
		return;
#pragma GCC unroll 4
	for (unsigned int i = 0; i < ROW_RUNS; i++)
		NAME(line_leaves)(&to->leaving, run + i, place % STAGE_LINES * sizeof(VECTOR));
}

/* Rows from one on, and the line that is left over. */
TARGET INLINE void NAME(rest_leaves)(const struct made *to, uint32_t at, unsigned int planes, unsigned int row,
				     const uint8_t *words)
{
	const unsigned int rows = planes / ROW_RUNS;

#pragma GCC unroll 8
	for (; row < rows; row++)
		NAME(row_leaves)(to, at, rows, row, words);
	if (FOLDS && planes % ROW_RUNS && to->leaving.stage)
		NAME(line_leaves)(&to->leaving, planes - 1, at / 8);
}

/* Planes of a block. */
TARGET INLINE void NAME(planes_store)(const VECTOR *plane, unsigned int count, const struct made *to, uint32_t at)
{
	uint8_t *stage = to->stage + at / 8;

#pragma GCC unroll 33
	for (unsigned int p = 0; p < count; p++)
		memcpy(stage + p * STAGE_BYTES, &plane[p], sizeof(VECTOR));
}

/* Planes from the words of a block, most significant first; and back. */
TARGET INLINE void NAME(words_in)(const uint8_t *words, unsigned int word_bytes, unsigned int rows,
				  const struct made *to, uint32_t at, VECTOR *plane)
{
	VECTOR bytes[4][8];

	if (word_bytes == 1)
		NAME(load_bytes)(words, bytes[0]);
	else if (word_bytes == 2)
		NAME(load_words)(words, bytes[0], bytes[1]);
	else
		NAME(load_doubles)(words, bytes[0], bytes[1], bytes[2], bytes[3]);
#pragma GCC unroll 4
	for (unsigned int byte = 0; byte < word_bytes; byte++) {
		NAME(row_leaves)(to, at, rows, 2 * byte, words);
		NAME(planes_of)(bytes[byte], plane + 8 * byte);
		NAME(row_leaves)(to, at, rows, 2 * byte + 1, words);
	}
}

TARGET INLINE void NAME(words_out)(const VECTOR *plane, unsigned int word_bytes, uint8_t *words)
{
	VECTOR bytes[4][8];

	for (unsigned int byte = 0; byte < word_bytes; byte++)
		NAME(bytes_of)(plane + 8 * byte, bytes[byte], word_bytes > 1);
	if (word_bytes == 1)
		memcpy(words, bytes[0], sizeof(bytes[0]));
	else if (word_bytes == 2)
		NAME(store_words)(bytes[0], bytes[1], words);
	else
		NAME(store_doubles)(bytes[0], bytes[1], bytes[2], bytes[3], words);
}

/* -------------------------------------------------------------- plane logic */

/* `on` where choice is 1, else `off`. */
TARGET INLINE VECTOR NAME(choose)(VECTOR choice, VECTOR on, VECTOR off)
{
	return (choice & on) | (~choice & off);
}

TARGET INLINE VECTOR NAME(any_of)(const VECTOR *plane, unsigned int count)
{
	VECTOR any = { 0 };

#pragma GCC unroll 32
	for (unsigned int p = 0; p < count; p++)
		any |= plane[p];
	return any;
}

/* Lanes in which some bit is 1, as lanes of ones. */
TARGET INLINE VECTOR NAME(lanes_with)(VECTOR plane)
{
	return (VECTOR)(plane != (VECTOR){ 0 });
}

/* A number of each group as planes, most significant first; and back. */
TARGET INLINE void NAME(number_in)(VECTOR number, unsigned int bits, VECTOR *plane)
{
	for (unsigned int b = 0; b < bits; b++)
		plane[b] = -(number >> (bits - 1 - b) & 1);
}

TARGET INLINE VECTOR NAME(number_out)(const VECTOR *plane, unsigned int bits)
{
	VECTOR number = { 0 };

	for (unsigned int b = 0; b < bits; b++)
		number |= plane[b] & 1u << (bits - 1 - b);
	return number;
}

/* ------------------------------------------------------ placement aligned */

/*
 * Significands down by the distance (E planes) that an element is below its
 * group, in steps of 1, 2, 4 ... : `magnitude` has S planes and gets K.
 */
TARGET INLINE void NAME(lower)(const struct layout *of, const VECTOR *distance, VECTOR *magnitude,
			       VECTOR *sticky)
{
	const unsigned int E = of->exponent_bits, S = of->fraction_bits + 1, K = of->planes;
	const VECTOR far = NAME(any_of)(distance, E - of->steps);
	unsigned int width = S;

	*sticky = far & NAME(any_of)(magnitude, S);
	for (unsigned int i = 0; i < S; i++)
		magnitude[i] &= ~far;
	for (unsigned int i = S; i < K; i++)
		magnitude[i] = (VECTOR){ 0 };
#pragma GCC unroll 5
	for (unsigned int s = 0; s < of->steps; s++) {
		const VECTOR down = distance[E - 1 - s];
		const unsigned int step = 1u << s;
		const unsigned int wider = width + step < K ? width + step : K;

		if (width + step > K)
			*sticky |= down & NAME(any_of)(magnitude + K - step, width + step - K);
#pragma GCC unroll 32
		for (unsigned int i = wider; i-- > step;)
			magnitude[i] = NAME(choose)(down, magnitude[i - step], magnitude[i]);
#pragma GCC unroll 32
		for (unsigned int i = 0; i < step && i < width; i++)
			magnitude[i] &= ~down;
		width = wider;
	}
}

/*
 * Words to aligned planes. `plane` has the word's planes and, from plane 1 on,
 * gets the magnitude's. The group's exponent is its elements' largest, found
 * from its first bit on among the elements that are still largest. Exponent
 * field 0 means 1 without the hidden bit; a group that has no other is one of
 * zeros, or its block is left to block_align().
 * Returns false for such a block, which has not changed then.
 */
TARGET INLINE bool NAME(align)(const struct layout *of, VECTOR *plane, VECTOR *exponent,
			       VECTOR *sticky)
{
	const unsigned int E = of->exponent_bits, S = of->fraction_bits + 1, K = of->planes;
	VECTOR group[8], distance[8], magnitude[32];
	VECTOR largest = ~(VECTOR){ 0 }, borrow = { 0 };
	VECTOR *field = plane + 1;
	VECTOR normal = NAME(any_of)(field, E);
	VECTOR some;

	for (unsigned int b = 0; b < E; b++) {
		VECTOR candidates = largest & field[b];

		group[b] = NAME(lanes_with)(candidates);
		largest = NAME(choose)(group[b], candidates, largest);
	}
	some = NAME(any_of)(group, E);
	if (!NAME(is_zero)(NAME(any_of)(field + E, S - 1) & ~some))
		return false;
	*exponent = (NAME(number_out)(group, E) + of->bias) & some;

	for (unsigned int b = E; b-- > 0;) {
		VECTOR low = b == E - 1 ? field[b] | ~normal : field[b];
		VECTOR high = b == E - 1 ? group[b] | ~some : group[b];

		distance[b] = high ^ low ^ borrow;
		borrow = (~high & (low | borrow)) | (low & borrow);
	}
	magnitude[0] = normal;
	for (unsigned int i = 1; i < S; i++)
		magnitude[i] = field[E + i - 1];
	NAME(lower)(of, distance, magnitude, sticky);
	for (unsigned int i = 0; i < K; i++)
		plane[1 + i] = magnitude[i];
	return true;
}

/*
 * Moves elements up in steps of 16, 8, 4 ... as far as their upper planes are
 * empty and, unless `roomy`, there is `room`, a number that shrinks with it.
 * up[s] says who made the step 2^s.
 */
TARGET INLINE void NAME(raise)(const struct layout *of, bool roomy, VECTOR *magnitude,
			       VECTOR *room, VECTOR *up)
{
	const unsigned int E = of->exponent_bits, F = of->fraction_bits, K = of->planes;

	for (unsigned int s = of->steps; s-- > 0;) {
		const unsigned int step = 1u << s;
		VECTOR taken = ~NAME(any_of)(magnitude, step);

		if (!roomy)
			taken &= NAME(any_of)(room, E - s);
		up[s] = taken;
		for (unsigned int i = 0; i < F + step && i < K; i++)
			magnitude[i] = i + step < K ? NAME(choose)(taken, magnitude[i + step], magnitude[i]) :
						      magnitude[i] & ~taken;
		for (unsigned int b = E - s; !roomy && b-- > 0;) {
			const VECTOR before = room[b];

			room[b] = before ^ taken;
			taken &= ~before;
		}
	}
}

/*
 * Aligned planes to words. `room` is how far an element of the group can move
 * up before it would be subnormal; `roomy` says that it always suffices. The
 * exponent field is what is left of the room and 1, or 0 without a hidden bit.
 */
TARGET INLINE void NAME(unalign)(const struct layout *of, bool roomy, VECTOR room, VECTOR *plane)
{
	const unsigned int E = of->exponent_bits, F = of->fraction_bits;
	VECTOR field[8], up[5], hidden, carry;

	NAME(number_in)(roomy ? room + 1 : room, E, field);
	NAME(raise)(of, roomy, plane + 1, field, up);
	hidden = plane[1];
	carry = roomy ? (VECTOR){ 0 } : hidden;
	/* From the last one on: with a wide exponent its place is further down. */
	for (unsigned int i = F; i > 0; i--)
		plane[E + i] = plane[1 + i];
	for (unsigned int b = E; b-- > 0;) {
		const unsigned int s = E - 1 - b;
		const VECTOR before = field[b];

		if (!roomy) {
			plane[1 + b] = (before ^ carry) & hidden;
			carry &= before;
		} else if (s < of->steps) {
			plane[1 + b] = (before ^ up[s] ^ carry) & hidden;
			carry = (~before & (up[s] | carry)) | (up[s] & carry);
		} else {
			plane[1 + b] = (before ^ carry) & hidden;
			carry &= ~before;
		}
	}
}

/* How far the elements of a group can move up before they are subnormal; larger
 * than any where the exponent is none. */
TARGET INLINE VECTOR NAME(room)(const struct layout *of, const uint8_t *exponents)
{
	VECTOR room;

	for (unsigned int lane = 0; lane < LANES; lane++)
		room[lane] = exponents[lane];
	return room - (of->bias + 1u);
}

/* No element can be subnormal or too large, whatever its magnitude. */
TARGET INLINE bool NAME(all_normal)(const struct layout *of, const uint8_t *exponents)
{
	const uint32_t room_end = (1u << of->exponent_bits) - 2, deepest = of->planes - 1u;

	return NAME(is_zero)((VECTOR)(NAME(room)(of, exponents) - deepest >= room_end - deepest));
}

/* A group whose elements may be subnormal in another way, or too large (of a
 * made-up exponent), is done by itself. */
TARGET INLINE void NAME(floats_block)(const struct layout *of, const uint8_t *exponents,
				      VECTOR *plane, uint8_t *words)
{
	const uint32_t room_end = (1u << of->exponent_bits) - 2;
	VECTOR some, room = NAME(room)(of, exponents), apart, given[33];
	bool any_apart;

	some = NAME(lanes_with)(NAME(any_of)(plane + 1, of->planes));
	apart = some & (VECTOR)(room >= room_end);
	room = NAME(choose)(some & ~apart, room, (VECTOR){ 0 } + room_end / 2);
	any_apart = !NAME(is_zero)(apart);
	if (any_apart)
		memcpy(given, plane, (of->planes + 1u) * sizeof(VECTOR));
	if (room_end > 64 && NAME(is_zero)((VECTOR)(room < 32)))
		NAME(unalign)(of, true, room, plane);
	else
		NAME(unalign)(of, false, room, plane);
	NAME(words_out)(plane, of->word_bytes, words);
	for (unsigned int lane = 0; any_apart && lane < LANES; lane++) {
		if (apart[lane])
			group_unalign(of, LANES, lane, given, exponents[lane], words);
	}
}

/* ------------------------------------------------------------------- codes */

/*
 * Sign and magnitude to the n planes of two's complement. A guard plane
 * follows for the roundings that look at it; what carries out of the top
 * saturates.
 */
TARGET INLINE void NAME(round_planes)(VECTOR *plane, unsigned int n, uint8_t rounding,
				      VECTOR sticky)
{
	VECTOR carry = { 0 };
	const VECTOR sign = plane[0];

	if (rounding != SQ_ROUNDING_TRUNCATE) {
		carry = plane[n];
		if (rounding == SQ_ROUNDING_EVEN)
			carry &= plane[n - 1] | sticky;
		for (unsigned int b = n; b-- > 1;) {
			const VECTOR before = plane[b];

			plane[b] = before ^ carry;
			carry &= before;
		}
		for (unsigned int b = 1; b < n; b++)
			plane[b] |= carry;
	}
	carry = sign;
	for (unsigned int b = n; b-- > 1;) {
		const VECTOR inverted = plane[b] ^ sign;

		plane[b] = inverted ^ carry;
		carry &= inverted;
	}
	plane[0] = sign ^ carry;
}

TARGET INLINE void NAME(codes_all)(const struct sqc_planes *planes, unsigned int n,
				   uint8_t rounding, uint32_t elements, uint8_t *codes)
{
	const unsigned int count = planes_of_codes(n, rounding);

	for (uint32_t at = 0; at < elements; at += BLOCK, codes += BLOCK / 8 * n) {
		VECTOR plane[9], sticky = { 0 };

		NAME(planes_load)(planes, 0, count, at, plane);
		if (rounding == SQ_ROUNDING_EVEN && planes->sticky)
			memcpy(&sticky, planes->sticky + at / 32, sizeof(sticky));
		NAME(round_planes)(plane, n, rounding, sticky);
		NAME(store_codes)(plane, n, codes);
	}
}

TARGET INLINE void NAME(codes_rounded)(const struct sqc_planes *planes, unsigned int n,
				       uint8_t rounding, uint32_t elements, uint8_t *codes)
{
	switch (n) {
	case 2: NAME(codes_all)(planes, 2, rounding, elements, codes); break;
	case 3: NAME(codes_all)(planes, 3, rounding, elements, codes); break;
	case 4: NAME(codes_all)(planes, 4, rounding, elements, codes); break;
	case 5: NAME(codes_all)(planes, 5, rounding, elements, codes); break;
	case 6: NAME(codes_all)(planes, 6, rounding, elements, codes); break;
	case 7: NAME(codes_all)(planes, 7, rounding, elements, codes); break;
	default: NAME(codes_all)(planes, 8, rounding, elements, codes); break;
	}
}

TARGET static void NAME(codes)(const struct sqc_planes *planes, unsigned int n,
			       uint8_t rounding, uint32_t elements, uint8_t *codes)
{
	if (rounding == SQ_ROUNDING_TRUNCATE)
		NAME(codes_rounded)(planes, n, SQ_ROUNDING_TRUNCATE, elements, codes);
	else if (rounding == SQ_ROUNDING_NEAREST)
		NAME(codes_rounded)(planes, n, SQ_ROUNDING_NEAREST, elements, codes);
	else
		NAME(codes_rounded)(planes, n, SQ_ROUNDING_EVEN, elements, codes);
}

/* ------------------------------------------------------------------- loops */

TARGET INLINE void NAME(words_all)(const struct sqc_planes *planes, unsigned int word_bytes,
				   uint32_t elements, uint8_t *words)
{
	for (uint32_t at = 0; at < elements; at += BLOCK, words += BLOCK * word_bytes) {
		VECTOR plane[32];

		NAME(planes_load)(planes, 0, 8 * word_bytes, at, plane);
		NAME(words_out)(plane, word_bytes, words);
	}
}

TARGET static void NAME(words)(const struct sqc_planes *planes, unsigned int word_bytes,
			       uint32_t elements, uint8_t *words)
{
	if (word_bytes == 1)
		NAME(words_all)(planes, 1, elements, words);
	else if (word_bytes == 2)
		NAME(words_all)(planes, 2, elements, words);
	else
		NAME(words_all)(planes, 4, elements, words);
}

TARGET INLINE void NAME(floats_all)(const struct sqc_planes *planes, const struct layout *of,
				    uint32_t elements, uint8_t *words)
{
	for (uint32_t at = 0; at < elements; at += BLOCK, words += BLOCK * of->word_bytes) {
		const uint8_t *exponents = planes->exponents + at / 32;

		if (ALIGNS_WORDS && of->dtype == SQ_DTYPE_BF16 && NAME(all_normal)(of, exponents)) {
			VECTOR magnitude[16];

			NAME(planes_load)(planes, 1, 16, at, magnitude);
			NAME(unalign_words)(exponents, planes->run[0] + (planes->first + at) / 8,
					    magnitude, words);
		} else {
			VECTOR plane[33];

			NAME(planes_load)(planes, 0, of->planes + 1, at, plane);
			NAME(floats_block)(of, exponents, plane, words);
		}
	}
}

TARGET static void NAME(floats)(const struct sqc_planes *planes, uint8_t dtype,
				uint32_t elements, uint8_t *words)
{
	if (dtype == SQ_DTYPE_BF16)
		NAME(floats_all)(planes, &layout_bf16, elements, words);
	else if (dtype == SQ_DTYPE_FP16)
		NAME(floats_all)(planes, &layout_fp16, elements, words);
	else
		NAME(floats_all)(planes, &layout_fp32, elements, words);
}

/* Whole blocks are read, `groups` are written. */
TARGET static void NAME(groups)(const struct sqc_planes *planes, unsigned int magnitudes,
				uint32_t groups, struct sqc_group *to)
{
	for (uint32_t at = 0; at < groups; at += LANES) {
		const uint32_t some = groups - at < LANES ? groups - at : LANES;
		VECTOR plane[33 + 7] = { { 0 } };
		uint8_t bytes[4][BLOCK];

		NAME(planes_load)(planes, 0, magnitudes + 1, at * 32, plane);
		memset(bytes, 0, sizeof(bytes));
		for (unsigned int byte = 0; 8 * byte < magnitudes; byte++) {
			VECTOR value[8];

			NAME(bytes_of)(plane + 1 + 8 * byte, value, false);
			memcpy(bytes[byte], value, sizeof(value));
		}
		for (uint32_t i = 0; i < some; i++) {
			struct sqc_group *group = &to[at + i];

			for (unsigned int e = 0; e < 32; e++)
				group->magnitude[e] = (uint32_t)bytes[0][32 * i + e] << 24 |
						      (uint32_t)bytes[1][32 * i + e] << 16 |
						      (uint32_t)bytes[2][32 * i + e] << 8 |
						      bytes[3][32 * i + e];
			group->sign = plane[0][i];
			group->sticky = 0;
			group->exponent = planes->exponents[at + i];
		}
	}
}

TARGET INLINE void NAME(store_all)(const uint8_t *words, unsigned int word_bytes,
				   uint32_t elements, const struct made *to)
{
	const struct made made = *to;	/* in registers: it does not change with what is stored */

	for (uint32_t at = 0; at < elements; at += BLOCK, words += BLOCK * word_bytes) {
		VECTOR plane[32];

		NAME(words_in)(words, word_bytes, 2 * word_bytes, &made, at, plane);
		NAME(planes_store)(plane, 8 * word_bytes, &made, at);
	}
}

TARGET static void NAME(store_plain)(const uint8_t *words, unsigned int word_bytes,
				     uint32_t elements, const struct made *to)
{
	if (word_bytes == 1)
		NAME(store_all)(words, 1, elements, to);
	else if (word_bytes == 2)
		NAME(store_all)(words, 2, elements, to);
	else
		NAME(store_all)(words, 4, elements, to);
}

TARGET INLINE void NAME(align_block)(const struct layout *of, const uint8_t *words, uint32_t at,
				     const struct made *to)
{
	VECTOR plane[33], exponent, sticky;

	NAME(words_in)(words, of->word_bytes, (of->planes + 1u) / ROW_RUNS, to, at, plane);
	if (!NAME(align)(of, plane, &exponent, &sticky))
		block_align(of, LANES, words, plane, &exponent, &sticky);
	NAME(planes_store)(plane, of->planes + 1, to, at);
	NAME(rest_leaves)(to, at, of->planes + 1u, 2 * of->word_bytes, words);
	for (uint32_t i = 0; i < LANES; i++)
		to->exponents[at / 32 + i] = (uint8_t)exponent[i];
	memcpy(to->sticky + at / 32, &sticky, sizeof(sticky));
}

/*
 * The same for a block of bf16 whose groups' exponents are known, and stored.
 * A group's top is its exponent over a fraction of ones: less a word it is the
 * sign, the distance and the inverted fraction, without a borrow between them.
 * Subnormals come out as too far down to be seen, if their group's exponent is
 * not among the 16 least, whose tops are 0. A group of zeros has a top that is far
 * from all.
 * Returns false for a block that this does not fit.
 */
#define TOP_LEAST	17u
#define TOP_OF_ZEROS	0x7fff7fffu

TARGET INLINE bool NAME(align_words)(const struct layout *of, const uint8_t *words, uint32_t at,
				     const uint32_t *tops, const struct made *to)
{
	const unsigned int E = of->exponent_bits, S = of->fraction_bits + 1;
	const unsigned int planes = of->planes + 1u, rows = planes / ROW_RUNS;
	VECTOR top, far, sticky, high[8], low[8], distance[16], plane[17];

	memcpy(&top, tops, sizeof(top));
	if (!NAME(is_zero)((VECTOR)(top == 0))) {
		NAME(rest_leaves)(to, at, planes, 0, words);
		return false;
	}
	NAME(distances_in)(words, tops, high, low);
	NAME(row_leaves)(to, at, rows, 0, words);
	NAME(planes_of)(high, distance);
	NAME(row_leaves)(to, at, rows, 1, words);
	NAME(planes_of)(low, distance + 8);
	NAME(row_leaves)(to, at, rows, 2, words);
	plane[0] = distance[0];
	plane[1] = ~(VECTOR){ 0 };
	for (unsigned int i = 1; i < S; i++)
		plane[1 + i] = ~distance[E + i];
	far = NAME(any_of)(distance + 1, E - of->steps);
	NAME(lower)(of, distance + 1, plane + 1, &sticky);
	NAME(planes_store)(plane, planes, to, at);
	NAME(rest_leaves)(to, at, planes, 3, words);
	if (!NAME(is_zero)(far)) {
		/* Zeros are far, too, but nothing of them is lost. */
		sticky &= ~NAME(zeros_in)(words);
		if (!NAME(is_zero)(sticky & (VECTOR)(top == TOP_OF_ZEROS)))
			return false;
	}
	memcpy(to->sticky + at / 32, &sticky, sizeof(sticky));
	return true;
}

/* Such a block. What leaves meanwhile has left. */
TARGET static __attribute__((noinline, unused)) void NAME(align_apart)(const struct layout *of, const uint8_t *words,
								       uint32_t at, const struct made *to)
{
	struct made alone = *to;

	alone.leaving.stage = NULL;
	alone.ahead = 0;
	NAME(align_block)(of, words, at, &alone);
}

TARGET INLINE void NAME(align_all)(const uint8_t *words, const struct layout *of,
				   uint32_t elements, const struct made *to)
{
	const bool in_words = ALIGNS_WORDS && of->dtype == SQ_DTYPE_BF16;
	const struct made made = *to;
	uint32_t tops[STAGE_ELEMENTS / 32];

	/* In a loop of its own: finding a group's exponent takes long, but other groups'
	 * are found meanwhile. */
	for (uint32_t at = 0; in_words && at < elements; at += BLOCK)
		NAME(tops_in)(words + 2 * (size_t)at, made.exponents + at / 32, tops + at / 32);
	for (uint32_t at = 0; at < elements; at += BLOCK, words += BLOCK * of->word_bytes) {
		if (!in_words)
			NAME(align_block)(of, words, at, &made);
		else if (!NAME(align_words)(of, words, at, tops + at / 32, &made))
			NAME(align_apart)(of, words, at, to);
	}
}

TARGET static void NAME(store_aligned)(const uint8_t *words, uint8_t dtype, uint32_t elements,
				       const struct made *to)
{
	if (dtype == SQ_DTYPE_BF16)
		NAME(align_all)(words, &layout_bf16, elements, to);
	else if (dtype == SQ_DTYPE_FP16)
		NAME(align_all)(words, &layout_fp16, elements, to);
	else
		NAME(align_all)(words, &layout_fp32, elements, to);
}

/* Each stage leaves while the next one is filled. */
TARGET static __attribute__((unused)) void NAME(fold)(const struct kernel *version, const struct words_job *job,
						      uint32_t elements)
{
	_Alignas(STAGE_BYTES) struct stage stages[2];
	_Alignas(VECTOR) uint8_t sums[SQC_PLANES_MAX][sizeof(VECTOR)];
	struct leaving leaving = { NULL, job->to->run, 0, sums[0], job->to->streaming };
	struct made made;

	for (unsigned int p = 0; p < job->planes; p++)
		NAME(sum_begin)(job->to->crc[p], sums[p]);
	for (uint32_t at = 0; at < elements; at += STAGE_ELEMENTS) {
		struct stage *stage = &stages[at / STAGE_ELEMENTS % 2];

		made = made_at(job, stage, at);
		made.leaving = leaving;
		blocks_made(version, job, job->words + (size_t)at * job->word_bytes, STAGE_ELEMENTS, &made);
		leaving.stage = stage->plane[0];
		leaving.offset = (job->to->first + at) / 8;
	}
	made = (struct made){ .leaving = leaving };
	for (uint32_t at = 0; at < STAGE_ELEMENTS; at += BLOCK)
		NAME(rest_leaves)(&made, at, job->planes, 0, NULL);
	for (unsigned int p = 0; p < job->planes; p++)
		job->to->crc[p] = NAME(sum_end)(sums[p]);
}

/* `exponents` has the bits of the exponents of the words in 32 bits. Adding one
 * to an exponent of all ones carries into the sign, which is not there. */
TARGET static bool NAME(finite)(const uint8_t *words, size_t bytes, uint32_t exponents)
{
	const VECTOR mask = (VECTOR){ 0 } + exponents, one = mask & ~(mask << 1);
	VECTOR carries = { 0 }, some = { 0 };
	size_t at = 0;

	for (; bytes - at >= sizeof(VECTOR); at += sizeof(VECTOR)) {
		memcpy(&some, words + at, sizeof(some));
		carries |= (some & mask) + one;
	}
	some = (VECTOR){ 0 };
	memcpy(&some, words + at, bytes - at);
	carries |= (some & mask) + one;
	return NAME(is_zero)(carries & ~mask);
}

/* Whole lines. */
TARGET static void NAME(stream)(uint8_t *to, const uint8_t *from, size_t lines)
{
	for (size_t at = 0; at < lines * SQC_LINE_BYTES; at += SQC_LINE_BYTES) {
		for (size_t i = at; i < at + SQC_LINE_BYTES; i += sizeof(VECTOR)) {
			VECTOR vector;

			memcpy(&vector, from + i, sizeof(vector));
			NAME(stream_vector)(to + i, vector);
		}
	}
}

static const struct kernel NAME(kernel) = {
	BLOCK, NAME(words), NAME(floats), NAME(codes), NAME(groups), NAME(store_plain), NAME(store_aligned),
	FOLDS ? NAME(fold) : NULL, NAME(finite), NAME(stream),
};

#undef VECTOR
#undef ALIGNS_WORDS
#undef FOLDS
#undef BLOCK
#undef LANES
#undef TARGET
#undef NAME
