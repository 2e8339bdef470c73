/* SPDX-License-Identifier: MIT */
/* What the tests of the LoongArch64 walk share: entry bits, and tables to put them in. */
#ifndef WP_PAPER_LOONGARCH64_H
#define WP_PAPER_LOONGARCH64_H

#include "paper_fixture.h"

#define V        BIT(0)
#define D        BIT(1)
#define PLV(plv) ((uint64_t)(plv) << 2)
#define MAT(mat) ((uint64_t)(mat) << 4)
#define G        BIT(6)
#define H        BIT(6)
#define G_HUGE   BIT(12)
#define NR       BIT(61)
#define NX       BIT(62)
#define RPLV     BIT(63)
#define PAGE     (V | D | MAT(1))

/* A different index at each level, and an offset. */
#define VA 0x0000123456789abcu

static inline int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

static inline void put(struct fixture *fixture, uint64_t va, unsigned level, uint64_t leaf)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, va) = fixture->tables[i + 1];
	*slot(fixture, level, va) = leaf;
}

static inline struct fixture *low(void **state)
{
	use(*state, "loongarch64_low");
	return *state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

#endif
