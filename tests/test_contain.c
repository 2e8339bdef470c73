/* SPDX-License-Identifier: MIT */
/* Programs that end the process, or hang: findings like any other. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "contain.h"

static struct wp_runner *runner;
static struct wp_stats stats;
static struct wp_contained contained;
static struct wp_subject subject;

/* The library, but it does this when a leaf of 2 MiB is mapped. */
static void (*misbehave)(void);

static pt_status map(struct wp_instance *instance, unsigned table, uint64_t va, uint64_t pa,
                     uint64_t size, pt_flags flags)
{
	if (size == PT_2M)
		misbehave();
	return wp_library_subject.map(instance, table, va, pa, size, flags);
}

static void crash(void)
{
	raise(SIGKILL); /* no sanitizer catches this one */
}

static void hang(void)
{
	for (;;)
		pause();
}

static int open_all(void **state)
{
	char why[200];

	(void)state;
	subject = wp_library_subject;
	subject.map = map;
	runner = malloc(sizeof *runner);
	assert_non_null(runner);
	assert_true(wp_runner_open(runner, &subject, &stats, why, sizeof why));
	assert_true(wp_contain_open(&contained, runner, 1, why, sizeof why));
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	wp_contain_close(&contained);
	wp_runner_close(runner);
	free(runner);
	return 0;
}

static void parse(struct wp_program *program, const char *text)
{
	char why[200];

	assert_true(wp_program_parse(program, text, why, sizeof why));
}

static const char long_way[] = "walkproof 1\nregime x86_64\n"
			       "map t1 va=0x40000000 pa=0x3000 size=4K flags=rw-u--\n"
			       "protect t1 va=0x40000000 flags=r-----\n"
			       "walk t1\n"
			       "map t1 va=0x7fc000200000 pa=0x80000000 size=2M flags=rwx---\n"
			       "unmap t1 va=0x40000000\n";

/* ------------------------------------------------------------------------ tests */

static void a_program_that_breaks_nothing_is_fine(void **state)
{
	static struct wp_program program;
	struct wp_result result;
	bool died = true;

	(void)state;
	parse(&program, "walkproof 1\nregime x86_64\n"
	                "map t0 va=0x1000 pa=0x3000 size=4K flags=r-----\n");
	assert_true(wp_contain_run(&contained, &program, &result, NULL, &died));
	assert_false(died);
	assert_false(wp_contain_shrink(&contained, &program, &result, 100, &died));
	assert_int_equal(program.count, 1);
}

static void a_crash_has_a_key_and_shrinks(void **state)
{
	static struct wp_program program, again;
	struct wp_result result;
	bool died;

	(void)state;
	misbehave = crash;
	parse(&program, long_way);
	assert_false(wp_contain_run(&contained, &program, &result, NULL, &died));
	assert_true(died);
	assert_string_equal(result.key, "x86_64-crash-map-kill");
	assert_int_equal(result.op, 3);
	assert_true(wp_contain_shrink(&contained, &program, &result, 1000, &died));
	assert_true(died);
	assert_string_equal(wp_contain_death(&contained)->key, "x86_64-crash-map-kill");
	parse(&again, "walkproof 1\nregime x86_64\nmap t0 va=0 pa=0 size=2M flags=r-----\n");
	assert_true(wp_program_equal(&program, &again));
}

static void a_crash_on_damaged_tables_has_a_key_and_shrinks(void **state)
{
	static struct wp_program program;
	struct wp_damage damage = {2, 7};
	struct wp_result result;
	bool died;

	(void)state;
	misbehave = crash;
	parse(&program, long_way);
	contained.damage = &damage;
	assert_false(wp_contain_run(&contained, &program, &result, NULL, &died));
	assert_true(died);
	assert_string_equal(result.key, "x86_64-crash-map-kill-damaged");
	assert_true(wp_contain_shrink(&contained, &program, &result, 1000, &died));
	contained.damage = NULL;
	assert_true(died);
	assert_string_equal(result.key, "x86_64-crash-map-kill-damaged");
	assert_true(wp_contain_death(&contained)->damaged);
	assert_int_equal(wp_contain_death(&contained)->damage.at, damage.at);
	assert_int_equal(program.count, 2); /* without a table there is nothing to damage */
	assert_int_equal(damage.at, 1);
	assert_int_equal(damage.seed, 7);
}

static void a_hang_has_a_key_and_shrinks(void **state)
{
	static struct wp_program program;
	struct wp_result result;
	bool died;

	(void)state;
	misbehave = hang;
	parse(&program, long_way);
	assert_true(wp_contain_shrink(&contained, &program, &result, 12, &died));
	assert_true(died);
	assert_string_equal(result.key, "x86_64-hang-map");
	assert_int_equal(program.count, 1);
}

/* The frames that a dead process wrote to are as new for the next run. */
static void a_crash_leaves_nothing_behind(void **state)
{
	static struct wp_program program;
	struct wp_result result;

	(void)state;
	misbehave = crash;
	parse(&program, long_way);
	assert_false(wp_contain_run(&contained, &program, &result, NULL, NULL));
	parse(&program, "walkproof 1\nregime x86_64\n"
	                "map t0 va=0x1000 pa=0x3000 size=4K flags=r-----\n");
	assert_true(wp_run(runner, &program, &result, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_breaks_nothing_is_fine),
		cmocka_unit_test(a_crash_has_a_key_and_shrinks),
		cmocka_unit_test(a_crash_on_damaged_tables_has_a_key_and_shrinks),
		cmocka_unit_test(a_hang_has_a_key_and_shrinks),
		cmocka_unit_test(a_crash_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
