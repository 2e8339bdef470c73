/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the paper machine share: one table a level, entries set by
 * hand, and answers taken apart.
 */
#ifndef WP_PAPER_FIXTURE_H
#define WP_PAPER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"

#define KR (1u << WP_KERNEL_READ)
#define KW (1u << WP_KERNEL_WRITE)
#define KX (1u << WP_KERNEL_EXECUTE)
#define UR (1u << WP_USER_READ)
#define UW (1u << WP_USER_WRITE)
#define UX (1u << WP_USER_EXECUTE)

#define BIT(n)       ((uint64_t)1 << (n))
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct fixture {
	struct wp_memory memory;
	struct wp_regime regime; /* a copy, so that a test may narrow it */
	uint64_t spare;          /* the window's first frame */
	uint64_t tables[6];      /* one a level; the root first */
};

static inline int fixture_open(void **state, uint64_t base)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	*state = fixture;
	return fixture != NULL && wp_memory_open(&fixture->memory, base, 256) ? 0 : -1;
}

static inline int fixture_close(void **state)
{
	struct fixture *fixture = *state;

	wp_memory_close(&fixture->memory);
	free(fixture);
	return 0;
}

/* Frames of it; a root may have more than one. */
static inline size_t table_size(const struct fixture *fixture, unsigned level)
{
	const size_t page = wp_regime_page(&fixture->regime);
	const size_t root = wp_regime_root_bytes(&fixture->regime);

	return level == 0 && root > page ? root : page;
}

/* A regime, and its tables, all zero. */
static inline void use(struct fixture *fixture, const char *regime)
{
	assert_non_null(wp_regime_find(regime));
	fixture->regime = *wp_regime_find(regime);
	wp_memory_cut(&fixture->memory, fixture->regime.granule_shift);
	assert_true(wp_memory_alloc(&fixture->memory, &fixture->spare));
	for (unsigned i = 0; i < fixture->regime.levels; i++) {
		const size_t size = table_size(fixture, i);

		assert_true(
			wp_memory_alloc_bytes(&fixture->memory, size, size, &fixture->tables[i]));
		memset(wp_memory_at(&fixture->memory, fixture->tables[i], size), 0, size);
	}
}

static inline unsigned shift_of(const struct fixture *fixture, unsigned level)
{
	return wp_regime_shift(&fixture->regime, level);
}

/* The slot of `va` in the table of `level`. */
static inline uint64_t *slot(struct fixture *fixture, unsigned level, uint64_t va)
{
	uint64_t *table = wp_memory_at(&fixture->memory, fixture->tables[level],
	                               table_size(fixture, level));

	return &table[wp_regime_index(&fixture->regime, level, va)];
}

static inline struct wp_answer walk(const struct fixture *fixture, uint64_t va)
{
	struct wp_answer answer;

	memset(&answer, 0xa5, sizeof answer);
	wp_paper_walk(&fixture->regime, &fixture->memory, fixture->tables[0], va, &answer);
	return answer;
}

/* How many entries a walk reads that ends at `level`. */
static inline size_t entries_read(enum wp_fault fault, unsigned level)
{
	return fault == WP_FAULT_ADDRESS || fault == WP_FAULT_BUS ? level : level + 1u;
}

static inline void assert_fault_and_open(const struct fixture *fixture, uint64_t va,
                                         enum wp_fault fault, unsigned level, unsigned open)
{
	const struct wp_answer answer = walk(fixture, va);
	struct wp_step steps[WP_MAX_STEPS];

	assert_string_equal(wp_fault_name((enum wp_fault)answer.fault), wp_fault_name(fault));
	assert_int_equal(answer.level, level);
	assert_int_equal(answer.allowed, 0);
	assert_int_equal(answer.pa, 0);
	assert_int_equal(answer.size, 0);
	assert_int_equal(answer.memory_type, WP_TYPE_UNKNOWN);
	assert_false(answer.global);
	assert_int_equal(answer.open, open);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], va, steps),
		entries_read(fault, level));
}

static inline void assert_fault(const struct fixture *fixture, uint64_t va, enum wp_fault fault,
                                unsigned level)
{
	assert_fault_and_open(fixture, va, fault, level, 0);
}

static inline void assert_leads(const struct fixture *fixture, uint64_t va, uint64_t pa,
                                uint64_t size)
{
	const struct wp_answer answer = walk(fixture, va);

	assert_string_equal(wp_fault_name((enum wp_fault)answer.fault), "none");
	assert_int_equal(answer.pa, pa);
	assert_int_equal(answer.size, size);
	assert_int_equal((uint64_t)1 << shift_of(fixture, answer.level), size);
}

static inline void assert_allows(const struct fixture *fixture, uint64_t va, unsigned kinds)
{
	const struct wp_answer answer = walk(fixture, va);

	assert_int_equal(answer.allowed, kinds);
	assert_int_equal(answer.fault, kinds != 0 ? WP_FAULT_NONE : WP_FAULT_PERMISSION);
}

static inline void assert_open(const struct fixture *fixture, uint64_t va, unsigned kinds)
{
	assert_int_equal(walk(fixture, va).open, kinds);
}

static inline void assert_type(const struct fixture *fixture, uint64_t va, enum wp_memory_type type)
{
	assert_string_equal(wp_memory_type_name((enum wp_memory_type)walk(fixture, va).memory_type),
	                    wp_memory_type_name(type));
}

/* Whether the address is looked up at all: nothing is mapped in a fresh fixture. */
static inline void assert_canonical(const struct fixture *fixture, uint64_t va, bool canonical)
{
	const struct wp_answer answer = walk(fixture, va);

	if (!canonical)
		assert_fault(fixture, va, WP_FAULT_ADDRESS, 0);
	assert_int_equal(answer.fault != WP_FAULT_ADDRESS, canonical);
	assert_int_equal(answer.allowed, 0);
}

#endif
