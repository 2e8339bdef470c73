/* SPDX-License-Identifier: MIT */
/*
 * After an operation every live mapping is as it has to be: also one that a store of the
 * operation changed far from its range.
 */
#include "program_fixture.h"

#include "run.h"

static struct wp_stats stats;
static struct wp_runner runner;
static struct wp_program program;
static struct wp_subject faulty;
static uint64_t victim; /* what protect() sends elsewhere, beside what it does */

static pt_status protect_and_move(struct wp_instance *instance, unsigned table, uint64_t va,
                                  pt_flags flags, struct pt_mapping *replaced)
{
	struct pt_mapping moved;

	if (wp_library_subject.remap(instance, table, victim, 0x7000, PT_READ, &moved) != PT_OK)
		fail();
	return wp_library_subject.protect(instance, table, va, flags, replaced);
}

/* The operation at which it is found; the walks after each store are off, which see it too. */
static size_t found_at(const char *regime, const char *operations, uint64_t moved)
{
	char text[1000], why[200];
	struct wp_result result;

	victim = moved;
	snprintf(text, sizeof text, "walkproof 1\nregime %s\n%s", regime, operations);
	if (!wp_program_parse(&program, text, why, sizeof why))
		fail_msg("%s", why);
	assert_false(wp_run(&runner, &program, &result, NULL));
	assert_string_equal(result.finding.kind, "pa");
	return result.op;
}

static void a_mapping_far_from_the_range_is_looked_at_when_a_store_touched_it(void **state)
{
	(void)state;
	assert_int_equal(found_at("x86_64",
	                          "map t0 va=0x1000 pa=0x1000 size=4K flags=rw----\n"
	                          "map t0 va=0x7f8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "map t0 va=0x8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "protect t0 va=0x1000 flags=r-----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x1000\nquery t0 va=0x1000\n",
	                          0x8000000000),
	                 3);
}

static void so_is_what_the_other_table_borrows(void **state)
{
	(void)state;
	assert_int_equal(found_at("riscv64_sv48",
	                          "query t0 va=0x1000\n"
	                          "map t0 va=0x1000 pa=0x1000 size=4K flags=rw----\n"
	                          "map t0 va=0x8000000000 pa=0x2000 size=4K flags=r-----\n"
	                          "copy_from t1 va=0x8000000000 size=512G\n"
	                          "protect t0 va=0x1000 flags=r-----\n"
	                          "query t0 va=0x1000\nquery t0 va=0x1000\nquery t0 va=0x1000\n",
	                          0x8000000000),
	                 4);
}

static int open_runner(void **state)
{
	char why[200];

	(void)state;
	faulty = wp_library_subject;
	faulty.protect = protect_and_move;
	if (!wp_runner_open(&runner, &faulty, &stats, why, sizeof why))
		return -1;
	runner.checks &= ~(1u << WP_CHECK_STORES | 1u << WP_CHECK_STALE | 1u << WP_CHECK_ACCESSED);
	return 0;
}

static int close_runner(void **state)
{
	(void)state;
	wp_runner_close(&runner);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_far_from_the_range_is_looked_at_when_a_store_touched_it),
		cmocka_unit_test(so_is_what_the_other_table_borrows),
	};

	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
