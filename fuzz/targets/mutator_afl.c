/* SPDX-License-Identifier: MIT */
#include "mutator_afl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutator.h"

/* AFL++ asks for less, as a rule; a trimmed input never is longer than the whole. */
#define MAX_BYTES ((size_t)1 << 20)

struct trimming {
	uint8_t *whole; /* as far as it is trimmed */
	size_t size;
	size_t units;
	size_t first, count; /* the operations that the candidate at hand lacks */
	int32_t step, steps;
};

struct wp_afl {
	struct wp_mutator mutator;
	struct trimming trimming;
	uint8_t out[MAX_BYTES];
	uint8_t whole[MAX_BYTES];
	char description[256];
};

struct wp_afl *afl_custom_init(void *afl, unsigned seed)
{
	const char *target = getenv("WALKPROOF_TARGET");
	struct wp_afl *data = calloc(1, sizeof *data);

	(void)afl;
	if (!data || !target || !wp_mutator_open(&data->mutator, target)) {
		fprintf(stderr, "walkproof: set WALKPROOF_TARGET to the target's name, such as "
		                "fuzz_x86_64\n");
		exit(2);
	}
	wp_random_seed(&data->mutator.random, seed);
	data->mutator.random.unswarmed = wp_mutator_asked_for("unswarmed");
	data->trimming.whole = data->whole;
	return data;
}

void afl_custom_deinit(struct wp_afl *data)
{
	free(data);
}

static size_t room(size_t max_size)
{
	return max_size < MAX_BYTES ? max_size : MAX_BYTES;
}

size_t afl_custom_fuzz(struct wp_afl *data, uint8_t *bytes, size_t size, uint8_t **out,
                       uint8_t *other, size_t other_size, size_t max_size)
{
	struct wp_mutator *mutator = &data->mutator;

	*out = data->out;
	if (other && other_size > 0 && wp_random_below(&mutator->random, 4) == 0)
		return wp_mutator_cross(mutator, bytes, size, other, other_size, data->out,
		                        room(max_size));
	return wp_mutator_mutate(mutator, bytes, size, data->out, room(max_size));
}

size_t afl_custom_havoc_mutation(struct wp_afl *data, uint8_t *bytes, size_t size, uint8_t **out,
                                 size_t max_size)
{
	*out = data->out;
	return wp_mutator_mutate(&data->mutator, bytes, size, data->out, room(max_size));
}

uint8_t afl_custom_havoc_mutation_probability(struct wp_afl *data)
{
	(void)data;
	return 100 - 100 / WP_BYTES_ONE_IN;
}

const char *afl_custom_describe(struct wp_afl *data, size_t max_length)
{
	const size_t size = max_length < sizeof data->description ? max_length
	                                                          : sizeof data->description;

	wp_mutator_describe(&data->mutator, data->description, size);
	return data->description;
}

/* --------------------------------------------------------------------- trimming */

/* Half of the operations at a time, then a quarter, and so on, from the last to the first. */
static void start_round(struct trimming *trimming, size_t count)
{
	trimming->count = count;
	trimming->first = trimming->units > count ? trimming->units - count : 0;
}

/* Steps are counted down to the one that removes the first operation alone. */
static int32_t next_step(struct trimming *trimming)
{
	if (trimming->count > trimming->units)
		trimming->count = trimming->units;
	if (trimming->units == 0)
		return trimming->steps;
	if (trimming->first > 0) {
		trimming->first -= trimming->first < trimming->count ? trimming->first
		                                                     : trimming->count;
	} else if (trimming->count > 1) {
		start_round(trimming, trimming->count / 2);
	} else {
		return trimming->steps;
	}
	if (trimming->step + 1 < trimming->steps)
		trimming->step++;
	return trimming->step;
}

int32_t afl_custom_init_trim(struct wp_afl *data, uint8_t *bytes, size_t size)
{
	struct trimming *trimming = &data->trimming;

	trimming->steps = 0;
	trimming->step = 0;
	if (size > MAX_BYTES)
		return 0;
	/* as the mutator writes it; from a text that may come out longer, which isn't allowed */
	trimming->units = wp_mutator_units(&data->mutator, bytes, size);
	trimming->size = wp_mutator_without(&data->mutator, bytes, size, 0, 0, data->whole,
	                                    MAX_BYTES);
	if (trimming->units < 2 || trimming->size > size)
		return 0;
	/* rounds of 2, 4, 8... steps come to less than this */
	trimming->steps = (int32_t)(4 * trimming->units + 1);
	start_round(trimming, trimming->units / 2);
	return trimming->steps;
}

size_t afl_custom_trim(struct wp_afl *data, uint8_t **out)
{
	const struct trimming *trimming = &data->trimming;

	*out = data->out;
	return wp_mutator_without(&data->mutator, trimming->whole, trimming->size, trimming->first,
	                          trimming->count, data->out, MAX_BYTES);
}

int32_t afl_custom_post_trim(struct wp_afl *data, uint8_t same)
{
	struct trimming *trimming = &data->trimming;

	if (same) {
		trimming->size = wp_mutator_without(&data->mutator, data->whole, trimming->size,
		                                    trimming->first, trimming->count, data->whole,
		                                    MAX_BYTES);
		trimming->units -= trimming->count;
	}
	return next_step(trimming);
}
