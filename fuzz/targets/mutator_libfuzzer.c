/* SPDX-License-Identifier: MIT */
/*
 * The mutator as libFuzzer calls it, and standalone.c does too. Compiled once for each
 * target; WP_TARGET_NAME says which.
 */
#include "mutator_libfuzzer.h"

#include <stdlib.h>

#include "mutator.h"

/* The mutator, ready to draw from this seed. */
static struct wp_mutator *at_seed(unsigned seed)
{
	static struct wp_mutator mutator;

	if (mutator.form == NULL && !wp_mutator_open(&mutator, WP_TARGET_NAME))
		abort(); /* the build names a target that there isn't */
	wp_random_seed(&mutator.random, seed);
	mutator.random.unswarmed = wp_mutator_asked_for("unswarmed");
	return &mutator;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
	struct wp_mutator *mutator = at_seed(seed);

	if (LLVMFuzzerMutate && (wp_random_below(&mutator->random, WP_BYTES_ONE_IN) == 0 ||
	                         wp_mutator_asked_for("bytes")))
		return LLVMFuzzerMutate(bytes, size, max_size);
	return wp_mutator_mutate(mutator, bytes, size, bytes, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
	return wp_mutator_cross(at_seed(seed), a, a_size, b, b_size, out, max_size);
}
