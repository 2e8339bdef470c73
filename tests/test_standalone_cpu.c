/* SPDX-License-Identifier: MIT */
/*
 * The small CPU of stand-alone reproducers walks as the paper machine does, over tables
 * that the library made. Compiled once for each regime: REGIME, CPU, and its constants.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run.h"

#define BASE WP_WINDOW_BASE

static struct wp_runner *runner;
static struct wp_stats stats;

/* ---- what the parts ask for ---- */

static enum { NEVER, USED, FREED } state[WP_WINDOW_FRAMES];

static uint64_t *frame_at(uint64_t pa)
{
	return wp_memory_at(&runner->memory, pa, WP_FRAME_SIZE);
}

static bool is_canonical(uint64_t va)
{
	return wp_regime_canonical(wp_regime_find(REGIME), va);
}

#undef fail /* cmocka's, by another name */
#define fail(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wconversion"
#include "standalone/cpu.h"
#include CPU
#include "standalone/cpu_walk.h"
#pragma GCC diagnostic pop

static int open_runner(void **context)
{
	char why[200];

	(void)context;
	runner = malloc(sizeof *runner);
	assert_non_null(runner);
	assert_true(wp_runner_open(runner, &wp_library_subject, &stats, why, sizeof why));
	return 0;
}

static int close_runner(void **context)
{
	(void)context;
	wp_runner_close(runner);
	free(runner);
	return 0;
}

static void compare(uint64_t root, uint64_t va, unsigned *mapped)
{
	static const enum memory_type types[] = {[WP_TYPE_NORMAL] = NORMAL,
	                                         [WP_TYPE_DEVICE] = DEVICE,
	                                         [WP_TYPE_UNCACHED] = UNCACHED,
	                                         [WP_TYPE_OTHER] = OTHER};
	const struct walk walk = cpu_walk(root, va);
	struct wp_step steps[WP_MAX_STEPS];
	struct wp_answer paper;
	const size_t count = wp_paper_trail(runner->regime, &runner->memory, root, va, &paper,
	                                    steps);
	const unsigned certain = paper.answered & ~(unsigned)paper.open;

	assert_int_equal(walk.allowed & certain, paper.allowed & certain);
	assert_int_equal(walk.lost, paper.fault == WP_FAULT_BUS);
	assert_int_equal(walk.depth, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(walk.tables[i], steps[i].entry_pa & ~(uint64_t)4095);
	if ((paper.allowed & certain) == 0)
		return;
	assert_int_equal(walk.pa, paper.pa);
	assert_int_equal(walk.size, paper.size);
	assert_int_equal(walk.type, types[paper.memory_type]);
	assert_int_equal(walk.global, paper.global);
	++*mapped;
}

static void it_walks_as_the_paper_machine_does(void **context)
{
	static struct wp_program program;
	struct wp_random random;
	struct wp_scope scope = {{wp_regime_find(REGIME)}, 1};
	unsigned mapped = 0;

	(void)context;
	(void)state;
	wp_random_seed(&random, 1);
	for (unsigned n = 0; n < 300; n++) {
		struct wp_result result;

		wp_program_generate(&program, &scope, &random);
		assert_true(wp_run_until(runner, &program, program.count, &result));
		for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
			struct wp_addresses *addresses = &runner->addresses;
			const struct wp_run *runs;
			size_t count;

			if (!wp_model_exists(runner->model, table))
				continue;
			addresses->count = 0;
			runs = wp_model_runs(runner->model, table, &count);
			wp_addresses_of_runs(addresses, runs, count, n);
			wp_addresses_at_edges(addresses, runner->regime);
			for (size_t i = 0; i < addresses->count; i++)
				compare(runner->subject->root(runner->instance, table),
				        addresses->va[i], &mapped);
		}
		wp_run_finish(runner);
	}
	assert_true(mapped > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_walks_as_the_paper_machine_does),
	};
	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
