/* SPDX-License-Identifier: MIT */
/* What the tests of the AArch64 walk share: descriptor bits, and tables to put them in. */
#ifndef WP_PAPER_AARCH64_H
#define WP_PAPER_AARCH64_H

#include "paper_fixture.h"

#define TABLE       3u
#define PAGE        3u
#define BLOCK       1u
#define ATTR(index) ((uint64_t)(index) << 2)
#define AP(ap)      ((uint64_t)(ap) << 6)
#define AF          BIT(10)
#define NG          BIT(11)
#define NT          BIT(16)
#define CONTIGUOUS  BIT(52)
#define PXN         BIT(53)
#define UXN         BIT(54)
#define PXNTABLE    BIT(59)
#define UXNTABLE    BIT(60)
#define APTABLE0    BIT(61)
#define APTABLE1    BIT(62)
#define NORMAL      (ATTR(1) | AF)

/* A different index at each level, and an offset. */
#define VA      0x0000923456789abcu
#define HIGH_VA 0xffff923456789abcu

static inline int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

static inline void put(struct fixture *fixture, uint64_t va, unsigned level, uint64_t leaf)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, va) = fixture->tables[i + 1] | TABLE;
	*slot(fixture, level, va) = leaf;
}

static inline struct fixture *low(void **state)
{
	use(*state, "aarch64_low");
	return *state;
}

static inline struct fixture *el2(void **state)
{
	use(*state, "aarch64_el2");
	return *state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

#endif
