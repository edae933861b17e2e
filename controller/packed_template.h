/* SPDX-License-Identifier: MIT */
/*
 * One version of the kernels `packed`; part of packed_kernels.c. A level gives
 *   TARGET, NAME(x)   its attribute, and its name of x
 *   join              the bits of eight symbols, moved together
 *   scatter           bits, moved apart to where a mask has ones
 */

TARGET static bool NAME(symbols)(const uint8_t *symbols, size_t count, uint8_t *stream)
{
	uint64_t any = 0;

	for (size_t i = 0; i < count; i += 8) {
		uint64_t eight, bits;

		memcpy(&eight, symbols + i, 8);
		if (count - i < 8)
			eight &= ~UINT64_C(0) >> 8 * (8 - (count - i));
		any |= eight;
		bits = NAME(join)(eight);
		memcpy(stream + i / 8 * SQC_PACKED_SYMBOL_BITS, &bits, 8);
	}
	return !(any & ~SYMBOLS_MASK);
}

TARGET INLINE unsigned int NAME(ones)(uint64_t value)
{
	return (unsigned int)__builtin_popcountll(value);
}

/* The next bits of a stream, moved apart; mostly there are few enough to come in
 * one load. */
TARGET INLINE uint64_t NAME(take)(const uint8_t *stream, size_t position, uint64_t mask)
{
	uint64_t bits;

	memcpy(&bits, stream + position / 8, 8);
	bits >>= position % 8;
	if (__builtin_expect(NAME(ones)(mask) > 57, 0))
		bits = sqc_peek_bits(stream, position);
	return NAME(scatter)(bits, mask);
}

TARGET static size_t NAME(count)(const uint8_t *stream, size_t bytes)
{
	size_t ones = 0, i = 0;

	for (; i + 8 <= bytes; i += 8) {
		uint64_t word;

		memcpy(&word, stream + i, 8);
		ones += NAME(ones)(word);
	}
	for (; i < bytes; i++)
		ones += NAME(ones)(stream[i]);
	return ones;
}

TARGET static void NAME(place)(struct sqc_packed *restrict state, const uint8_t *fresh,
			       const uint8_t *rest, uint64_t *restrict plane,
			       uint64_t *restrict sign)
{
	size_t fresh_at = 0, rest_at = 0;

	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t significant = state->significant[w];
		const uint64_t live = significant & ~state->spent[w];
		const uint64_t led = NAME(scatter)(sqc_peek_bits(fresh, fresh_at), ~significant);
		const uint64_t value = NAME(scatter)(sqc_peek_bits(rest, rest_at), led | live);

		fresh_at += NAME(ones)(~significant);
		rest_at += NAME(ones)(led | live);
		plane[w] = led | (value & live);
		sign[w] |= value & led;
		state->significant[w] = significant | led;
	}
}

/* `spent`: some elements are. `sparse`: few become significant. */
TARGET INLINE size_t NAME(plain_as)(struct sqc_packed *restrict state, const uint8_t *bits,
				    const uint8_t *signs, size_t sign_bytes,
				    uint64_t *restrict plane, uint64_t *restrict sign,
				    bool spent, bool sparse)
{
	size_t bits_at = 0, signs_at = 0;

	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t mask = ~state->spent[w];
		uint64_t led;

		if (spent)
			plane[w] = NAME(take)(bits, bits_at, mask);
		else
			memcpy(&plane[w], bits + 8 * (size_t)w, 8);
		bits_at += NAME(ones)(mask);
		led = plane[w] & ~state->significant[w];
		/* A branch that is rarely taken beats the work; others do not. */
		if (sparse && !led)
			continue;
		sign[w] |= NAME(take)(within(signs, sign_bytes, signs_at), signs_at % 8, led);
		signs_at += NAME(ones)(led);
		state->significant[w] |= led;
	}
	return signs_at;
}

TARGET static size_t NAME(plain)(struct sqc_packed *restrict state, const uint8_t *bits,
				 const uint8_t *signs, size_t sign_bytes,
				 uint64_t *restrict plane, uint64_t *restrict sign)
{
	if (state->plane < state->significand)
		return NAME(plain_as)(state, bits, signs, sign_bytes, plane, sign, false, false);
	if (sign_bytes >= state->words / 64)
		return NAME(plain_as)(state, bits, signs, sign_bytes, plane, sign, true, false);
	return NAME(plain_as)(state, bits, signs, sign_bytes, plane, sign, true, true);
}

TARGET static void NAME(signs)(const struct sqc_packed *restrict state, const uint8_t *signs,
			       uint64_t *restrict sign)
{
	size_t at = 0;

	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t rest = ~state->significant[w];

		sign[w] |= NAME(take)(signs, at, rest);
		at += NAME(ones)(rest);
	}
}

TARGET static void NAME(spend)(struct sqc_packed *restrict state, const uint64_t *restrict plane)
{
	for (unsigned int w = 0; w < state->words; w++)
		state->spent[w] |= plane[w];
}

static const struct sqc_packed_kernels NAME(kernel) = {
	NAME(symbols), NAME(count), NAME(place), NAME(plain), NAME(signs), NAME(spend),
};

#undef TARGET
#undef NAME
