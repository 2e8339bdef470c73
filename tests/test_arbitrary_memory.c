/* SPDX-License-Identifier: MIT */
/*
 * L7 and L5 on arbitrary memory: query(), walk(), the paper machine and every CPU, each
 * with each other, on random memory programs with a fixed seed; and that those programs are not in
 * vain: walks go deep, many translate, and every kind of failure is met.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory_program.h"

#define SEED 20240607u

/* Random inputs for each architecture; an argument asks for more. */
#ifdef SANITIZED
static unsigned long inputs = 5000;
#else
static unsigned long inputs = 15000;
#endif

static struct wp_memory_runner runner;

static double share(uint64_t part, uint64_t of)
{
	return of == 0 ? 0 : 100.0 * (double)part / (double)of;
}

static void print_rates(const struct wp_regime *regime, const struct wp_memory_stats *stats)
{
	print_message("%-21s %7" PRIu64 " inputs, %8" PRIu64 " probes; level", regime->name,
	              stats->programs, stats->probes);
	for (unsigned level = 1; level < regime->levels; level++)
		print_message(" %u: %.0f%%", level, share(stats->reached[level], stats->probes));
	print_message("; translate %.0f%%, malformed %.0f%%, no-access %.1f%%, open %.1f%%, "
	              "compared between CPUs %" PRIu64 "; answers:",
	              share(stats->translate, stats->probes),
	              share(stats->said[PT_MALFORMED], stats->probes),
	              share(stats->no_access, stats->probes), share(stats->open, stats->probes),
	              stats->open_compared);
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		if (stats->asked[kind] > 0)
			print_message(" %s %.0f%% of %" PRIu64, wp_machine_kinds[kind].name,
			              share(stats->answered[kind], stats->asked[kind]),
			              stats->asked[kind]);
	}
	print_message("\n");
}

/* Rates in percent that no regime may fall below. */
static void assert_rates(const struct wp_regime *regime, const struct wp_memory_stats *stats)
{
	assert_true(share(stats->reached[1], stats->probes) > 60);
	assert_true(share(stats->reached[regime->levels - 1], stats->probes) > 10);
	assert_true(share(stats->translate, stats->probes) > 25);
	assert_true(share(stats->said[PT_MALFORMED], stats->probes) > 3);
	assert_true(share(stats->no_access, stats->probes) > 1);
	assert_true(stats->said[PT_NOT_MAPPED] > stats->programs / 10);
	assert_true(stats->said[PT_BAD_ADDRESS] > 0);
	assert_true(stats->faults[WP_FAULT_BUS] > 0);
	assert_true(stats->stopped > 0);
	/* the only manual that leaves open what two CPUs here answer */
	if (regime->arch == WP_AARCH64 && runner.set.machines[WP_UNICORN_MACHINE][WP_AARCH64])
		assert_true(stats->open_compared > 0);
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		const struct wp_machine *machine = runner.set.machines[kind][regime->arch];

		/* without it, whoever reads the result believes in a comparison that wasn't */
		if (kind == WP_QEMU_MACHINE && (wp_machine_kinds[kind].archs >> regime->arch & 1))
			assert_non_null(machine);
		if (machine != NULL && machine->supports(machine, regime))
			assert_true(share(stats->answered[kind], stats->asked[kind]) > 40);
	}
}

static void run_inputs(const char *prefix)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_random random;
	struct wp_scope scope;

	wp_random_seed(&random, SEED);
	wp_scope_of(&scope, prefix);
	memset(runner.stats, 0, wp_regime_count * sizeof *runner.stats);
	for (unsigned long i = 0; i < inputs; i++) {
		/* one regime after the other: to change it costs a machine more than to walk */
		const uint8_t regime = wp_scope_byte(&scope,
		                                     scope.regimes[i * scope.count / inputs]);
		const size_t size = wp_memory_program_random(&random, regime, bytes);
		struct wp_result result;

		if (wp_memory_run(&runner, &scope, bytes, size, &result))
			continue;
		print_error("input %lu: %s: %s\n", i, result.key, result.finding.sentence);
		wp_memory_print(&runner, stderr);
		fail();
	}
	for (size_t i = 0; i < scope.count; i++) {
		const struct wp_memory_stats *stats = &runner.stats[scope.regimes[i] - wp_regimes];

		print_rates(scope.regimes[i], stats);
		assert_rates(scope.regimes[i], stats);
	}
}

static void all_agree_on_any_x86_64_memory(void **state)
{
	(void)state;
	run_inputs("x86_64");
}

static void all_agree_on_any_aarch64_memory(void **state)
{
	(void)state;
	run_inputs("aarch64");
}

static void all_agree_on_any_riscv64_memory(void **state)
{
	(void)state;
	run_inputs("riscv64");
}

static void all_agree_on_any_loongarch64_memory(void **state)
{
	(void)state;
	run_inputs("loongarch64");
}

static void paper_and_query_agree_on_any_x86_ept_memory(void **state)
{
	(void)state;
	run_inputs("x86_ept");
}

/* The walk would visit 512^3 entries and more. */
static void a_root_full_of_itself_ends_the_walk(void **state)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "");
	for (size_t regime = 0; regime < scope.count; regime++) {
		struct wp_result result;

		memset(bytes, 0, sizeof bytes);
		bytes[0] = wp_scope_byte(&scope, scope.regimes[regime]);
		for (uint8_t i = 0; i < WP_MEMORY_RECIPES; i++) /* pointers from the root to it */
			bytes[1 + i * WP_MEMORY_RECORD + 2] = i;
		assert_true(wp_memory_run(&runner, &scope, bytes, sizeof bytes, &result));
		assert_int_equal(runner.program.writes, WP_MEMORY_RECIPES);
	}
}

static void an_empty_input_and_every_length_decode(void **state)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_random random;
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "");
	wp_random_seed(&random, SEED);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)wp_random_next(&random);
	for (size_t size = 0; size <= sizeof bytes; size++) {
		struct wp_result result;

		assert_true(wp_memory_run(&runner, &scope, bytes, size, &result));
		assert_true(runner.program.probes > 0);
	}
}

/* The first input that shows the bug; its size, or 0 if none of so many does. */
static size_t find_one(struct wp_memory_runner *with_bug, const struct wp_scope *scope,
                       uint8_t bytes[WP_MEMORY_BYTES], struct wp_result *result)
{
	struct wp_random random;

	wp_random_seed(&random, SEED);
	for (unsigned i = 0; i < 4000; i++) {
		const size_t size = wp_memory_program_random(
			&random, wp_scope_byte(scope, scope->regimes[0]), bytes);

		if (!wp_memory_run(with_bug, scope, bytes, size, result))
			return size;
	}
	return 0;
}

static void a_finding_shrinks_to_few_recipes_with_the_same_key(void **state)
{
	static const struct {
		const char *bug, *regime;
	} bugs[] = {
		{"x86-query-rewrites", "x86_64"},       {"a64-outside-table", "aarch64_low"},
		{"la-malformed-hole", "loongarch64"},   {"ept-misaligned-leaf", "x86_ept"},
		{"gstage-nine-bits", "riscv64_sv39x4"}, {"ept-rights-of-leaf", "x86_ept"},
	};
	static struct wp_memory_runner with_bug;
	static uint8_t bytes[WP_MEMORY_BYTES], again[WP_MEMORY_BYTES];
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
		struct wp_result found, shrunk;
		struct wp_scope scope;
		size_t size, length, again_length;

		assert_true(wp_memory_runner_open(&with_bug, ~0u, why, sizeof why));
		wp_memory_use(&with_bug, wp_subject_find(bugs[i].bug, why, sizeof why));
		wp_scope_of(&scope, bugs[i].regime);
		size = length = again_length = find_one(&with_bug, &scope, bytes, &found);
		assert_int_not_equal(size, 0);
		memcpy(again, bytes, size);
		assert_true(wp_memory_shrink(&with_bug, &scope, bytes, &length, &shrunk, 1000));
		assert_string_equal(shrunk.key, found.key);
		assert_true(length <= size && length <= 1 + 2 * WP_MEMORY_RECORD);
		/* what is left is that, on its own, and none of the library's */
		assert_false(wp_memory_run(&with_bug, &scope, bytes, length, &found));
		assert_string_equal(shrunk.key, found.key);
		assert_true(wp_memory_run(&runner, &scope, bytes, length, &found));
		assert_true(
			wp_memory_shrink(&with_bug, &scope, again, &again_length, &shrunk, 1000));
		assert_int_equal(again_length, length);
		assert_memory_equal(again, bytes, length);
		print_message("%s: %zu recipes, then %zu\n", bugs[i].bug, size / WP_MEMORY_RECORD,
		              length / WP_MEMORY_RECORD);
		wp_memory_runner_close(&with_bug);
	}
}

static void an_input_that_shows_nothing_does_not_shrink(void **state)
{
	uint8_t bytes[WP_MEMORY_BYTES] = {0};
	struct wp_result result;
	struct wp_scope scope;
	size_t size = 3;

	(void)state;
	wp_scope_of(&scope, "");
	assert_false(wp_memory_shrink(&runner, &scope, bytes, &size, &result, 1000));
	assert_int_equal(size, 3);
}

static int open_runner(void **state)
{
	char why[200];

	(void)state;
	if (wp_memory_runner_open(&runner, 0, why, sizeof why))
		return 0;
	print_error("%s\n", why);
	return -1;
}

static int close_runner(void **state)
{
	(void)state;
	wp_memory_runner_close(&runner);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_input_and_every_length_decode),
		cmocka_unit_test(a_root_full_of_itself_ends_the_walk),
		cmocka_unit_test(a_finding_shrinks_to_few_recipes_with_the_same_key),
		cmocka_unit_test(an_input_that_shows_nothing_does_not_shrink),
		cmocka_unit_test(all_agree_on_any_x86_64_memory),
		cmocka_unit_test(all_agree_on_any_aarch64_memory),
		cmocka_unit_test(all_agree_on_any_riscv64_memory),
		cmocka_unit_test(all_agree_on_any_loongarch64_memory),
		cmocka_unit_test(paper_and_query_agree_on_any_x86_ept_memory),
	};

	if (argc > 1)
		inputs = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
