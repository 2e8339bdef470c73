/* SPDX-License-Identifier: MIT */
/*
 * L4 on emulated CPUs: that they do walk between stores, that this disturbs nothing, and
 * that a CPU which goes astray there, and only there, is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run.h"

#define SEED 11u

static struct wp_runner runner;
static struct wp_stats stats;
static struct wp_program program;

static void open_runner(struct wp_machine *(*open)(enum wp_arch), enum wp_arch arch,
                        unsigned sample)
{
	char why[200];

	memset(&stats, 0, sizeof stats);
	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		fail_msg("%s", why);
	runner.sample = sample;
	wp_runner_add(&runner, open(arch));
}

static void close_runner(void)
{
	runner.machines[0]->close(runner.machines[0]);
	wp_runner_close(&runner);
}

/* Runs so many programs, or until a finding: true. */
static bool run_programs(enum wp_arch arch, unsigned count, struct wp_result *result)
{
	struct wp_random random;
	struct wp_scope scope;

	wp_scope_of(&scope, wp_arch_name(arch));
	wp_random_seed(&random, SEED);
	while (count-- > 0) {
		wp_program_generate(&program, &scope, &random);
		if (!wp_run(&runner, &program, result, NULL))
			return true;
	}
	return false;
}

#ifdef WP_UNICORN
static struct wp_machine *open_unicorn(enum wp_arch arch)
{
	char why[200];
	struct wp_machine *machine = wp_unicorn_open(&runner.memory, arch, why, sizeof why);

	if (machine == NULL)
		fail_msg("%s", why);
	return machine;
}

/* In a campaign's sample, and where it is asked about everything. */
static void unicorn_walks_between_stores_on_each_of_its_architectures(void **state)
{
	static const unsigned samples[] = {WP_SAMPLE, 1};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		const enum wp_arch arch = (enum wp_arch)(i / 2);
		struct wp_result result;
		uint64_t programs;

		open_runner(open_unicorn, arch, samples[i % 2]);
		if (run_programs(arch, 60, &result))
			fail_msg("%s: %s", result.key, result.finding.sentence);
		programs = stats.programs;
		assert_int_equal(programs, 60);
		assert_true(stats.machines[1].between > 0);
		close_runner();
	}
}
#endif

/* --- a CPU that goes astray --- */

/* The paper machine, under another name; wrong while an operation is under way. */
static struct wp_machine *right;

static bool astray(void)
{
	return runner.call != NULL && runner.watch.stores > 0 &&
	       runner.watch.first <= runner.watch.last;
}

static void probe_astray(struct wp_machine *machine, const struct wp_probe *probes,
                         struct wp_answer *answers, size_t count)
{
	(void)machine;
	right->probe(right, probes, answers, count);
	for (size_t i = 0; i < count && astray(); i++) {
		if (answers[i].allowed != 0)
			answers[i].pa ^= WP_FRAME_SIZE;
	}
}

static void probe_warm_right(struct wp_machine *machine, const struct wp_probe *probes,
                             struct wp_answer *answers, size_t count)
{
	(void)machine;
	right->probe(right, probes, answers, count);
}

static void load_right(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	(void)machine;
	right->load(right, regime, root);
}

static void flush_nothing(struct wp_machine *machine, const uint64_t *va)
{
	(void)machine;
	(void)va;
}

static void close_astray(struct wp_machine *machine)
{
	right->close(right);
	free(machine);
}

static struct wp_machine *open_astray(enum wp_arch arch)
{
	struct wp_machine *machine = malloc(sizeof *machine);

	right = wp_paper_open(&runner.memory, arch);
	assert_non_null(machine);
	assert_non_null(right);
	*machine = *right;
	machine->name = "astray";
	machine->probe = probe_astray;
	machine->probe_warm = probe_warm_right;
	machine->load = load_right;
	machine->flush = flush_nothing;
	machine->close = close_astray;
	return machine;
}

static void a_cpu_that_goes_astray_between_stores_only_is_found(void **state)
{
	(void)state;
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		struct wp_result result, again;

		open_runner(open_astray, (enum wp_arch)arch, WP_SAMPLE);
		assert_true(run_programs((enum wp_arch)arch, 400, &result));
		assert_int_equal(result.finding.law, WP_LAW_WALKABLE_STORES);
		assert_string_equal(result.finding.kind, "between-stores-cpu");

		/* the same where every program is asked about, as a replay does */
		runner.sample = 1;
		assert_false(wp_run(&runner, &program, &again, NULL));
		assert_string_equal(again.finding.kind, result.finding.kind);

		runner.checks &= ~(1u << WP_CHECK_STORES);
		assert_false(run_programs((enum wp_arch)arch, 60, &result));
		close_runner();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef WP_UNICORN
		cmocka_unit_test(unicorn_walks_between_stores_on_each_of_its_architectures),
#endif
		cmocka_unit_test(a_cpu_that_goes_astray_between_stores_only_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
