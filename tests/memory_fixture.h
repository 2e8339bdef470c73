/* SPDX-License-Identifier: MIT */
/* What the tests of guest memory share: a small window, and looks at its frames. */
#ifndef WP_MEMORY_FIXTURE_H
#define WP_MEMORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"

#define BASE   0x80000000u
#define FRAMES 64u

static inline int open_memory(void **state)
{
	struct wp_memory *memory = malloc(sizeof *memory);

	*state = memory;
	return memory != NULL && wp_memory_open(memory, BASE, FRAMES) ? 0 : -1;
}

static inline int close_memory(void **state)
{
	wp_memory_close(*state);
	free(*state);
	return 0;
}

static inline uint64_t alloc(struct wp_memory *memory)
{
	uint64_t frame = 0;

	assert_true(wp_memory_alloc(memory, &frame));
	return frame;
}

static inline void scribble(struct wp_memory *memory, uint64_t frame, size_t word)
{
	uint64_t *words = wp_memory_at(memory, frame, WP_FRAME_SIZE);

	assert_non_null(words);
	words[word] ^= 1;
}

static inline void assert_poisoned(const struct wp_memory *memory, uint64_t frame)
{
	const uint64_t *words = wp_memory_at(memory, frame, WP_FRAME_SIZE);

	for (size_t i = 0; i < WP_FRAME_SIZE / 8; i++)
		assert_int_equal(words[i], WP_POISON);
}

static inline void assert_crime(const struct wp_memory *memory, enum wp_frame_crime crime,
                                uint64_t frame)
{
	assert_int_equal(memory->crime, crime);
	assert_int_equal(memory->crime_frame, frame);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

#endif
