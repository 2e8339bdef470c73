/* SPDX-License-Identifier: MIT */
/*
 * L7 on tables that were damaged: random programs and random damage with a fixed
 * seed, over every regime; and that the damage is not in vain: it is met, it moves and
 * breaks translations, and calls go on to change tables all the same.
 */
#include "runner_fixture.h"

#include <inttypes.h>

#include "damage.h"
#include "machine_set.h"

#define SEED 20240607u

/* Programs for each regime; an argument asks for more. */
#ifdef SANITIZED
static unsigned long programs = 300;
#else
static unsigned long programs = 800;
#endif

static struct wp_machine_set set;

static double share(uint64_t part, uint64_t of)
{
	return of == 0 ? 0 : 100.0 * (double)part / (double)of;
}

static void print_rates(const struct wp_regime *regime, const struct wp_damage_stats *stats)
{
	print_message("%-21s %5" PRIu64 " runs, bits turned: %.0f%% broke a translation, %.0f%% "
	              "moved one; %6" PRIu64 " operations after: %.1f%% malformed, %.0f%% changed "
	              "something (%.0f%% of them exactly judged), %.0f%% unchanged; %" PRIu64
	              " addresses agreed on, %" PRIu64 " by machines\n",
	              regime->name, stats->runs, share(stats->broke, stats->flips),
	              share(stats->moved, stats->flips), stats->operations,
	              share(stats->malformed, stats->operations),
	              share(stats->changed, stats->operations), share(stats->exact, stats->changed),
	              share(stats->unchanged, stats->operations), stats->agreements,
	              stats->answers);
}

/* Rates in percent that no regime may fall below. */
static void assert_rates(const struct wp_regime *regime, const struct wp_damage_stats *stats)
{
	assert_true(share(stats->broke, stats->flips) > 5);
	assert_true(share(stats->moved, stats->flips) > 2);
	assert_true(share(stats->same, stats->flips) > 5);
	assert_true(share(stats->malformed, stats->operations) > 2);
	assert_true(share(stats->changed, stats->operations) > 8); /* LoongArch refuses harvests */
	assert_true(share(stats->unchanged, stats->operations) > 10);
	assert_true(stats->exact > 0);
	assert_true(stats->agreements > stats->operations);
	for (size_t i = 0; i < runner.machine_count; i++) {
		const struct wp_machine *machine = runner.machines[i];

		if (!machine->slow && machine->supports(machine, regime))
			assert_true(stats->answers > 0);
	}
}

static void fail_with(const struct wp_program *program, const struct wp_damage *damage,
                      struct wp_result *result)
{
	static struct wp_program shrunk;
	struct wp_damage moved = *damage;

	shrunk = *program;
	wp_damage_shrink(&runner, &shrunk, &moved, result, WP_SHRINK_RUNS);
	print_error("%s: %s; --damage %zu:%" PRIu64 "\n", result->key, result->finding.sentence,
	            moved.at, moved.seed);
	wp_program_print(&shrunk, stderr);
	fail();
}

static void run_regime(const struct wp_regime *regime)
{
	static struct wp_program program;
	struct wp_damage_stats stats = {0};
	struct wp_random random;
	struct wp_scope scope;

	wp_random_seed(&random, SEED);
	scope.regimes[0] = regime;
	scope.count = 1;
	for (unsigned long i = 0; i < programs; i++) {
		struct wp_damage damage;
		struct wp_result result;

		wp_program_generate(&program, &scope, &random);
		damage.at = (size_t)wp_random_below(&random, program.count + 1);
		damage.seed = wp_random_next(&random);
		if (!wp_damage_run(&runner, &program, &damage, &stats, &result))
			fail_with(&program, &damage, &result);
	}
	print_rates(regime, &stats);
	assert_rates(regime, &stats);
}

static void damaged_tables_are_worked_on_under_every_regime(void **state)
{
	(void)state;
	for (size_t i = 0; i < wp_regime_count; i++)
		run_regime(&wp_regimes[i]);
}

static void the_same_damage_is_done_twice(void **state)
{
	static struct wp_program program;
	struct wp_damage_stats first = {0}, second = {0};
	struct wp_random random;
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "");
	wp_random_seed(&random, SEED);
	for (unsigned i = 0; i < 50; i++) {
		const struct wp_damage damage = {5, i};
		struct wp_result result;

		wp_program_generate(&program, &scope, &random);
		assert_true(wp_damage_run(&runner, &program, &damage, &first, &result));
		assert_true(wp_damage_run(&runner, &program, &damage, &second, &result));
		assert_memory_equal(&first, &second, sizeof first);
	}
}

/* Queries of a program on sound tables and of one that is damaged halfway. */
static uint64_t queries_of(const struct wp_program *program, uint64_t seed)
{
	const struct wp_damage damage = {program->count / 2u + 1, seed};
	struct wp_damage_stats stats = {0};
	struct wp_result result;
	const uint64_t before = runner.stats->queries;

	assert_true(wp_run(&runner, program, &result, NULL));
	assert_true(wp_damage_run(&runner, program, &damage, &stats, &result));
	return runner.stats->queries - before;
}

static void a_program_runs_as_if_none_had_run_before(void **state)
{
	static struct wp_program program;
	const struct wp_regime *regime = wp_regime_find("loongarch64_low");
	const struct wp_scope scope = {.regimes = {regime}, .count = 1};
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, SEED);
	for (unsigned i = 0; i < 1500; i++) {
		uint64_t first;

		wp_program_generate(&program, &scope, &random);
		first = queries_of(&program, i);
		assert_int_equal(queries_of(&program, i), first);
	}
}

static int open_all(void **state)
{
	char why[300];

	if (open_runner(state) != 0)
		return -1;
	if (wp_machines_open(&set, &runner.memory, WP_ALL_ARCHS,
	                     1u << WP_QEMU_MACHINE | 1u << WP_KVM_MACHINE, why, sizeof why)) {
		wp_machines_add_to(&set, &runner);
		return 0;
	}
	print_error("%s\n", why);
	return -1;
}

static int close_all(void **state)
{
	wp_machines_close(&set);
	return close_runner(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_damage_is_done_twice),
		cmocka_unit_test(a_program_runs_as_if_none_had_run_before),
		cmocka_unit_test(damaged_tables_are_worked_on_under_every_regime),
	};

	if (argc > 1)
		programs = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, open_all, close_all);
}
