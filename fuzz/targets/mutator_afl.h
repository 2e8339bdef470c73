/* SPDX-License-Identifier: MIT */
/*
 * The mutator as AFL++ loads it (AFL_CUSTOM_MUTATOR_LIBRARY), for the target that
 * WALKPROOF_TARGET names. Names and meanings are AFL++'s: see its custom_mutators.md.
 */
#ifndef WP_MUTATOR_AFL_H
#define WP_MUTATOR_AFL_H

#include <stddef.h>
#include <stdint.h>

struct wp_afl; /* our own, between the calls */

struct wp_afl *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(struct wp_afl *data);

/* The mutant is valid until the next call; a size of 0 is no mutant. */
size_t afl_custom_fuzz(struct wp_afl *data, uint8_t *bytes, size_t size, uint8_t **out,
                       uint8_t *other, size_t other_size, size_t max_size);

/* Among the mutations of AFL++'s own havoc: ours, and how many percent of them. */
size_t afl_custom_havoc_mutation(struct wp_afl *data, uint8_t *bytes, size_t size, uint8_t **out,
                                 size_t max_size);
uint8_t afl_custom_havoc_mutation_probability(struct wp_afl *data);

/* What the last mutations were, for the name of a file in the queue. */
const char *afl_custom_describe(struct wp_afl *data, size_t max_length);

/*
 * Trimming: the number of steps, then a shorter input for each, then whether that one
 * did the same as the whole; returns the number of the next step, and ends at the last.
 */
int32_t afl_custom_init_trim(struct wp_afl *data, uint8_t *bytes, size_t size);
size_t afl_custom_trim(struct wp_afl *data, uint8_t **out);
int32_t afl_custom_post_trim(struct wp_afl *data, uint8_t same);

#endif
