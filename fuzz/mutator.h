/* SPDX-License-Identifier: MIT */
/*
 * The mutator of a target, for whatever engine: from bytes to bytes, by operations.
 * Total (any bytes are an input), and a pure function of the input, the capacity and
 * the random numbers. Inputs that are text come out as bytes.
 */
#ifndef WP_MUTATOR_H
#define WP_MUTATOR_H

#include "program.h"

struct wp_input_form;

struct wp_mutator {
	struct wp_scope scope;
	const struct wp_input_form *form; /* what the target's inputs are */
	struct wp_random random;
	uint32_t made; /* by the last call: what wp_mutator_describe() tells */
	struct wp_program program, other, child;
};

/* For the target of that name, such as "fuzz_x86_64". False: there is none. */
bool wp_mutator_open(struct wp_mutator *mutator, const char *target);

/* Each returns the size of what is in `out`, which may be `bytes` (or `a`). */
size_t wp_mutator_mutate(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                         uint8_t *out, size_t capacity);
size_t wp_mutator_cross(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
                        const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity);

/* For trimming: how many operations an input has, and the input without some of them. */
size_t wp_mutator_units(struct wp_mutator *mutator, const uint8_t *bytes, size_t size);
size_t wp_mutator_without(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                          size_t first, size_t count, uint8_t *out, size_t capacity);

/* The mutations of the last call, such as "insert-grow". */
void wp_mutator_describe(const struct wp_mutator *mutator, char *text, size_t text_size);

/*
 * WALKPROOF_MUTATOR is for experiments: `bytes` leaves all to the engine (AFL++: by not loading
 * the mutator at all), `unswarmed` draws all programs alike.
 */
bool wp_mutator_asked_for(const char *mode);

/* Engines have mutators of their own, of bytes: one mutation in so many is left to them. */
#define WP_BYTES_ONE_IN 8u

#endif
