/* SPDX-License-Identifier: MIT */
/*
 * Making the codebook of a region of placement tuned
 *
 * A histogram over x with 8192 places, weighted by scale squared (and by what
 * the columns matter, where that is known), stands for the data. The 8 cells
 * of 3 bits are the best there are (dynamic programming on places of 1/128,
 * then Lloyd's iteration on all of them); each cell is then cut where its two
 * halves are best, again and again to 8 bits. The last cut of the cell around
 * 0 is at 0, so that no cell has both signs in it. The error to be least is
 * the weighted square, so a cell's level is its mean.
 */
#include <string.h>

#include "encoding.h"
#include "float_bits.h"
#include "tuned.h"

#define PLACES		(2 * SQC_TUNED_GRID)
#define ZERO_PLACE	SQC_TUNED_GRID
#define FIRST_BITS	3u
#define FIRST_CELLS	(1u << FIRST_BITS)
#define COARSE		256u			/* places of the dynamic programming */
#define COARSE_STEP	(PLACES / COARSE)
#define ROUNDS_MAX	64u

/* Sums over all places before a cut: differences are those of a cell. */
struct sums {
	const double *weight;
	const double *moment;
};

void sqc_codebook_begin(struct sqc_codebook_builder *builder)
{
	memset(builder, 0, sizeof(*builder));
}

void sqc_codebook_add(struct sqc_codebook_builder *builder, uint8_t dtype,
		      const void *words, const float *importance)
{
	float values[SQC_GROUP_ELEMENTS];
	double scale = 0.0;

	sqc_words_to_values(dtype, words, SQC_GROUP_ELEMENTS, values);
	for (unsigned int i = 0; i < SQC_GROUP_ELEMENTS; i++) {
		double value = (double)values[i];

		if (value * value > scale * scale)
			scale = value;
	}
	if (!(scale * scale > 0.0))
		return;
	for (unsigned int i = 0; i < SQC_GROUP_ELEMENTS; i++) {
		double weight = scale * scale * (importance ? (double)importance[i] : 1.0);
		double x = (double)values[i] / scale;
		int place = (int)((x + 1.0) * ZERO_PLACE);

		place = place < PLACES ? place : PLACES - 1;
		builder->weight[place] += weight;
		builder->moment[place] += weight * x;
	}
}

/* What a level at the mean of [from, to) takes off the squared error. */
static double gain(const struct sums *sums, unsigned int from, unsigned int to)
{
	double weight = sums->weight[to] - sums->weight[from];
	double moment = sums->moment[to] - sums->moment[from];

	return weight > 0.0 ? moment * moment / weight : 0.0;
}

static double mean(const struct sums *sums, unsigned int from, unsigned int to)
{
	double weight = sums->weight[to] - sums->weight[from];
	double moment = sums->moment[to] - sums->moment[from];

	return weight > 0.0 ? moment / weight
			    : (double)(from + to) / PLACES - 1.0;
}

/* The best cuts at coarse places. */
static void first_cuts(const struct sums *sums, unsigned int cuts[FIRST_CELLS + 1])
{
	double best[COARSE + 1];
	uint16_t from[FIRST_CELLS][COARSE + 1];
	unsigned int end = COARSE;

	for (unsigned int to = 0; to <= COARSE; to++) {
		best[to] = gain(sums, 0, to * COARSE_STEP);
		from[0][to] = 0;
	}
	for (unsigned int cell = 1; cell < FIRST_CELLS; cell++) {
		/* Downwards: best[] of fewer cells is still needed below. */
		for (unsigned int to = COARSE; to > 0; to--) {
			from[cell][to] = (uint16_t)to;
			for (unsigned int at = 0; at < to; at++) {
				double all = best[at] + gain(sums, at * COARSE_STEP, to * COARSE_STEP);

				if (all > best[to]) {
					best[to] = all;
					from[cell][to] = (uint16_t)at;
				}
			}
		}
		from[cell][0] = 0;
	}
	for (unsigned int cell = FIRST_CELLS; cell > 0; cell--) {
		cuts[cell] = end * COARSE_STEP;
		end = from[cell - 1][end];
	}
	cuts[0] = 0;
}

/* Lloyd: a cut belongs in the middle of its neighbours' levels. */
static bool refine(const struct sums *sums, unsigned int cuts[FIRST_CELLS + 1])
{
	unsigned int next[FIRST_CELLS + 1];
	bool changed = false;

	memcpy(next, cuts, sizeof(next));
	for (unsigned int c = 1; c < FIRST_CELLS; c++) {
		double middle = (mean(sums, cuts[c - 1], cuts[c]) + mean(sums, cuts[c], cuts[c + 1])) / 2;

		next[c] = (unsigned int)((middle + 1.0) * ZERO_PLACE + 0.5);
		changed |= next[c] != cuts[c];
	}
	memcpy(cuts, next, sizeof(next));
	return changed;
}

/* Where [from, to) falls into its two best halves. */
static unsigned int best_cut(const struct sums *sums, unsigned int from, unsigned int to)
{
	unsigned int best = from + (to - from) / 2;
	double most = gain(sums, from, best) + gain(sums, best, to);

	for (unsigned int cut = from + 1; cut < to; cut++) {
		double all = gain(sums, from, cut) + gain(sums, cut, to);

		if (all > most) {
			most = all;
			best = cut;
		}
	}
	return best;
}

/* Cuts of all 256 cells from those of 8. */
static void split(const struct sums *sums, const unsigned int first[FIRST_CELLS + 1],
		  unsigned int cuts[SQC_TUNED_CELLS + 1])
{
	for (unsigned int c = 0; c <= FIRST_CELLS; c++)
		cuts[c * (SQC_TUNED_CELLS / FIRST_CELLS)] = first[c];
	for (unsigned int step = SQC_TUNED_CELLS / FIRST_CELLS; step > 1; step /= 2) {
		for (unsigned int c = 0; c < SQC_TUNED_CELLS; c += step) {
			unsigned int from = cuts[c], to = cuts[c + step];
			bool around_zero = from < ZERO_PLACE && to > ZERO_PLACE;

			cuts[c + step / 2] = step == 2 && around_zero ? ZERO_PLACE
								      : best_cut(sums, from, to);
		}
	}
}

static void levels_make(const struct sums *sums, const unsigned int cuts[SQC_TUNED_CELLS + 1],
			struct sqc_codebook *codebook)
{
	float *level = codebook->level;

	for (unsigned int step = SQC_TUNED_CELLS / 4; step > 0; step /= 2) {
		for (unsigned int c = 0; c < SQC_TUNED_CELLS; c += step)
			*level++ = (float)mean(sums, cuts[c], cuts[c + step]);
	}
}

static void uniform(struct sqc_codebook_builder *builder)
{
	for (unsigned int i = 0; i < PLACES; i++) {
		builder->weight[i] = 1.0;
		builder->moment[i] = (i + 0.5) / ZERO_PLACE - 1.0;
	}
}

/* From numbers to the sums of all before; the last is the sum of all. */
static void accumulate(double numbers[PLACES + 1])
{
	double sum = 0.0;

	for (unsigned int i = 0; i <= PLACES; i++) {
		double number = numbers[i];

		numbers[i] = sum;
		sum += number;
	}
}

void sqc_codebook_finish(struct sqc_codebook_builder *builder,
			 struct sqc_codebook *codebook)
{
	const struct sums sums = { builder->weight, builder->moment };
	unsigned int first[FIRST_CELLS + 1];
	unsigned int cuts[SQC_TUNED_CELLS + 1];
	double weight = 0.0;

	for (unsigned int i = 0; i < PLACES; i++)
		weight += builder->weight[i];
	if (!(weight > 0.0))
		uniform(builder);
	accumulate(builder->weight);
	accumulate(builder->moment);
	first_cuts(&sums, first);
	for (unsigned int round = 0; round < ROUNDS_MAX && refine(&sums, first); round++)
		;
	split(&sums, first, cuts);
	memset(codebook, 0, sizeof(*codebook));
	for (unsigned int c = 0; c <= SQC_TUNED_CELLS; c++)
		codebook->cut[c] = (int16_t)((int)cuts[c] - ZERO_PLACE);
	levels_make(&sums, cuts, codebook);
}
