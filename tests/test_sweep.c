/* SPDX-License-Identifier: MIT */
/*
 * After an operation every live mapping is as it has to be: also one that a store of the
 * operation changed far from its range, be it through a table that stands in two places.
 */
#include "runner_fixture.h"

static struct wp_program program;
static struct wp_subject faulty;
static uint64_t victim; /* what protect() sends elsewhere, beside what it does */
static uint64_t twin;   /* whose table map() uses again; 0: none */

static pt_status protect_and_move(struct wp_instance *instance, unsigned table, uint64_t va,
                                  pt_flags flags, struct pt_mapping *replaced)
{
	struct pt_mapping moved;

	if (wp_library_subject.remap(instance, table, victim, 0x7000, PT_READ, &moved) != PT_OK)
		fail();
	return wp_library_subject.protect(instance, table, va, flags, replaced);
}

/* The last entry but one on the way to an address of x86_64's: it leads to the last table. */
static uint64_t *way_to(struct wp_instance *instance, unsigned table, uint64_t va)
{
	struct wp_step steps[WP_MAX_STEPS];
	const uint64_t root = wp_library_subject.root(instance, table);

	assert_int_equal(wp_paper_steps(runner.regime, &runner.memory, root, va, steps), 4);
	return wp_memory_at(&runner.memory, steps[2].entry_pa, sizeof(uint64_t));
}

/* A table like the one at `twin` isn't kept: that one serves for both, as it translates alike. */
static pt_status map_and_share(struct wp_instance *instance, unsigned table, uint64_t va,
                               uint64_t pa, uint64_t size, pt_flags flags)
{
	const pt_status status = wp_library_subject.map(instance, table, va, pa, size, flags);
	uint64_t *entry, before;

	if (twin == 0 || va == twin)
		return status;
	entry = way_to(instance, table, va);
	before = *entry;
	*entry = *way_to(instance, table, twin);
	runner.platform.stored(runner.platform.context, entry, before, *entry);
	return status;
}

/* The operation at which it is found; the walks after each store are off, which see it too. */
static size_t found_at(const char *regime, const char *key, const char *operations)
{
	struct wp_result result;

	parse(&program, regime, operations);
	assert_false(wp_run(&runner, &program, &result, NULL));
	assert_string_equal(result.key, key);
	return result.op;
}

static void a_mapping_far_from_the_range_is_looked_at_when_a_store_touched_it(void **state)
{
	(void)state;
	victim = 0x8000000000;
	twin = 0;
	assert_int_equal(found_at("x86_64", "x86_64-L1-protect-pa",
	                          "map t0 va=0x1000 pa=0x1000 size=4K flags=rw----\n"
	                          "map t0 va=0x7f8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "map t0 va=0x8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "protect t0 va=0x1000 flags=r-----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x1000\nquery t0 va=0x1000\n"),
	                 3);
}

static void so_is_what_the_other_table_borrows(void **state)
{
	(void)state;
	victim = 0x8000000000;
	twin = 0;
	assert_int_equal(found_at("riscv64_sv48", "riscv64-L1-protect-pa",
	                          "query t0 va=0x1000\n"
	                          "map t0 va=0x1000 pa=0x1000 size=4K flags=rw----\n"
	                          "map t0 va=0x8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "copy_from t1 va=0x8000000000 size=512G\n"
	                          "protect t0 va=0x1000 flags=r-----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x1000\nquery t0 va=0x1000\n"),
	                 4);
}

/* Sharing changes no translation: what is wrong comes of the store to what is shared. */
static void so_is_what_a_table_that_stands_in_two_places_translates_in_the_other(void **state)
{
	(void)state;
	twin = 0x1000;
	assert_int_equal(found_at("x86_64", "x86_64-L1-remap-pa",
	                          "map t0 va=0x1000 pa=0x1000 size=4K flags=rw----\n"
	                          "map t0 va=0x201000 pa=0x1000 size=4K flags=rw----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x201000\n"
	                          "remap t0 va=0x1000 pa=0x5000 flags=rw----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x1000\nquery t0 va=0x1000\n"),
	                 4);
}

static int open_faulty(void **state)
{
	(void)state;
	faulty = wp_library_subject;
	faulty.protect = protect_and_move;
	faulty.map = map_and_share;
	if (open_runner_for(&faulty) != 0)
		return -1;
	runner.checks &= ~(1u << WP_CHECK_STORES | 1u << WP_CHECK_STALE | 1u << WP_CHECK_ACCESSED);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_far_from_the_range_is_looked_at_when_a_store_touched_it),
		cmocka_unit_test(so_is_what_the_other_table_borrows),
		cmocka_unit_test(
			so_is_what_a_table_that_stands_in_two_places_translates_in_the_other),
	};

	return cmocka_run_group_tests(tests, open_faulty, close_runner);
}
