/* SPDX-License-Identifier: MIT */
/* The worst TLB: which flush reaches a cached table pointer, by architecture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machines/paper.h"
#include "tlb.h"

#define VA   ((uint64_t)0x40201000)
#define FAR  ((uint64_t)0x7000000000)
#define PAGE ((uint64_t)0x1000)

struct fixture {
	struct wp_memory memory;
	struct wp_trace trace;
	struct wp_tlb tlb;
	const struct wp_regime *regime;
	uint64_t frames[WP_MAX_STEPS];
};

static uint64_t *slot(struct fixture *fixture, unsigned level)
{
	const unsigned shift = wp_paper_root_shift(fixture->regime) - level * WP_PAPER_INDEX_BITS;
	uint64_t *table = wp_memory_at(&fixture->memory, fixture->frames[level], WP_FRAME_SIZE);

	return &table[wp_paper_index(VA, shift)];
}

/* VA is mapped, and a CPU has used it. */
static void set_up(struct fixture *fixture, const char *regime, const struct wp_paper_arch *arch)
{
	assert_true(wp_memory_open(&fixture->memory, WP_WINDOW_BASE, 16));
	assert_true(wp_trace_open(&fixture->trace, &fixture->memory));
	fixture->regime = wp_regime_find(regime);
	wp_trace_reset(&fixture->trace, fixture->regime);
	for (unsigned level = 0; level < fixture->regime->levels; level++) {
		assert_true(wp_memory_alloc(&fixture->memory, &fixture->frames[level]));
		for (unsigned i = 0; i < WP_PAPER_ENTRIES; i++)
			((uint64_t *)wp_memory_at(&fixture->memory, fixture->frames[level],
			                          WP_FRAME_SIZE))[i] = 0;
		if (level > 0)
			*slot(fixture, level - 1) = fixture->frames[level] >> arch->address_shift |
			                            arch->table;
	}
	*slot(fixture, fixture->regime->levels - 1u) = PAGE >> arch->address_shift |
	                                               arch->kernel_read_only;
	wp_tlb_reset(&fixture->tlb, fixture->regime, &fixture->memory);
	wp_tlb_warm(&fixture->tlb, fixture->frames[0], VA);
}

static void tear_down(struct fixture *fixture)
{
	wp_trace_close(&fixture->trace);
	wp_memory_close(&fixture->memory);
}

/* Whether the table over VA, unlinked, is still walked after a flush of `va`. */
static bool is_stale(const char *regime, const struct wp_paper_arch *arch, const uint64_t *va)
{
	struct wp_finding finding = {0};
	struct fixture fixture;
	unsigned level;

	set_up(&fixture, regime, arch);
	level = fixture.regime->levels - 2u;
	fixture.trace.roots[0] = fixture.frames[0];
	*slot(&fixture, level) = 0;
	wp_tlb_flush(&fixture.tlb, va);
	wp_tlb_judge(&fixture.tlb, fixture.frames[0], VA, VA + PAGE - 1, NULL, &finding);
	tear_down(&fixture);
	return finding.found;
}

static void a_flush_of_everything_reaches_all(void **state)
{
	(void)state;
	assert_false(is_stale("x86_64", &wp_paper_x86_64, NULL));
	assert_false(is_stale("aarch64_low", &wp_paper_aarch64, NULL));
	assert_false(is_stale("riscv64_sv39_svpbmt", &wp_paper_riscv64, NULL));
}

static void a_flush_of_the_address_reaches_tables_but_on_riscv(void **state)
{
	const uint64_t va = VA;

	(void)state;
	assert_false(is_stale("x86_64", &wp_paper_x86_64, &va));
	assert_false(is_stale("aarch64_low", &wp_paper_aarch64, &va));
	assert_true(is_stale("riscv64_sv39_svpbmt", &wp_paper_riscv64, &va));
}

static void a_flush_elsewhere_reaches_no_translation(void **state)
{
	const uint64_t va = FAR;

	(void)state;
	assert_true(is_stale("x86_64", &wp_paper_x86_64, &va));
	assert_true(is_stale("aarch64_low", &wp_paper_aarch64, &va));
	assert_true(is_stale("riscv64_sv39_svpbmt", &wp_paper_riscv64, &va));
}

static void an_entry_has_its_place_while_it_is_linked(void **state)
{
	struct wp_place place;
	struct fixture fixture;

	(void)state;
	set_up(&fixture, "x86_64", &wp_paper_x86_64);
	fixture.trace.roots[0] = fixture.frames[0];
	for (unsigned level = 3; level-- > 0;) {
		const uint64_t entry = fixture.frames[level] +
		                       (uint64_t)((uint8_t *)slot(&fixture, level) -
		                                  (uint8_t *)wp_memory_at(&fixture.memory,
		                                                          fixture.frames[level],
		                                                          8));

		assert_true(wp_trace_store(&fixture.trace, entry, 0, *slot(&fixture, level), 1));
	}
	assert_true(wp_trace_place(&fixture.trace, fixture.frames[3] + 8, &place));
	assert_int_equal(place.level, 3);
	assert_int_equal(place.first, VA);
	assert_int_equal(place.last, VA + PAGE - 1);
	assert_int_not_equal(wp_trace_link(&fixture.trace, fixture.frames[3]), 0);
	*slot(&fixture, 1) = 0;
	assert_false(wp_trace_place(&fixture.trace, fixture.frames[3] + 8, &place));
	assert_int_equal(wp_trace_link(&fixture.trace, fixture.frames[3]), 0);
	tear_down(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_of_everything_reaches_all),
		cmocka_unit_test(a_flush_of_the_address_reaches_tables_but_on_riscv),
		cmocka_unit_test(a_flush_elsewhere_reaches_no_translation),
		cmocka_unit_test(an_entry_has_its_place_while_it_is_linked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
