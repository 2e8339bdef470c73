/* SPDX-License-Identifier: MIT */
/* Mutations of programs do what their names say, and between them reach everything. */
#include "mutate_promises.h"

#include "../fuzz/run.h"

#ifdef SANITIZED /* which is slow */
#define ROUNDS 500
#else
#define ROUNDS 2000
#endif

static struct wp_scope all;

static int set_up(void **state)
{
	(void)state;
	wp_scope_of(&all, "");
	return 0;
}

static void each_mutation_does_what_its_name_says(void **state)
{
	static struct wp_program before, after;
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 1);
	for (unsigned kind = 0; kind < WP_MUTATIONS; kind++) {
		unsigned applied = 0, kept = 0, programs = 0;

		while (programs < ROUNDS) {
			bool applies;

			wp_program_generate(&before, &all, &random);
			if (before.count < 8 || before.count > 100)
				continue;
			programs++;
			after = before;
			applies = wp_program_mutate_once(&after, &all, (enum wp_mutation)kind,
			                                 &random);
			applied += applies;
			kept += applies && promises[kind].done(&before, &after);
			if (!applies)
				assert_true(wp_program_equal(&before, &after));
		}
		print_message("%-9s applies to %3u%%, keeps its word in %3u%%\n",
		              wp_mutation_name((enum wp_mutation)kind), 100 * applied / programs,
		              100 * kept / applied);
		assert_in_range(100 * applied / programs, promises[kind].applies, 100);
		assert_in_range(100 * kept / applied, promises[kind].keeps_its_word, 100);
	}
}

/* ---------------------------------------------------------------- all of them together */

static void the_same_seed_makes_the_same_mutant_and_another_another(void **state)
{
	static struct wp_program start, a, b, c;
	struct wp_random random;
	unsigned differ = 0;

	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		wp_random_seed(&random, seed);
		wp_program_generate(&start, &all, &random);
		a = b = c = start;
		wp_random_seed(&random, seed);
		wp_program_mutate(&a, &all, &random);
		wp_program_mutate(&c, &all, &random);
		wp_random_seed(&random, seed);
		wp_program_mutate(&b, &all, &random);
		assert_true(wp_program_equal(&a, &b));
		differ += !wp_program_equal(&a, &c);
	}
	assert_true(differ > ROUNDS * 95 / 100);
}

/* Operations that were others before, and still have the operands of those. */
static void leave_operands_behind(struct wp_program *program, struct wp_random *random)
{
	for (size_t i = 0; i < program->count; i++)
		program->ops[i].opcode = (uint8_t)wp_random_below(random, WP_OPCODES);
}

/* As decoding makes them: nothing in an operand that the operation doesn't have. */
static void mutants_of_anything_are_in_the_one_form(void **state)
{
	static struct wp_program program, again;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 2);
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		size_t size;

		if (i % 16 == 0)
			any_program(&program, &random);
		if (i % 32 == 0)
			leave_operands_behind(&program, &random);
		wp_program_mutate(&program, &all, &random);
		size = wp_program_encode(&program, &all, bytes, sizeof bytes);
		wp_program_decode(&again, &all, bytes, size);
		assert_same(&program, &again);
	}
}

static void every_kind_is_made_and_each_program_has_its_favourites(void **state)
{
	static struct wp_program program;
	unsigned made[WP_MUTATIONS] = {0}, none = 0;
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 3);
	for (unsigned i = 0; i < 10 * ROUNDS; i++) {
		uint32_t kinds;

		wp_program_generate(&program, &all, &random);
		kinds = wp_program_mutate(&program, &all, &random);
		none += kinds == 0;
		for (unsigned kind = 0; kind < WP_MUTATIONS; kind++)
			made[kind] += kinds >> kind & 1;
	}
	assert_true(none < 10 * ROUNDS / 500);
	for (unsigned kind = 0; kind < WP_MUTATIONS; kind++) {
		if (made[kind] < 10 * ROUNDS / 100 || made[kind] > 10 * ROUNDS / 4)
			fail_msg("%s: in %u of %u", wp_mutation_name((enum wp_mutation)kind),
			         made[kind], 10 * ROUNDS);
	}
}

/* Mutants of mutants must neither dwindle nor fill up. */
static void lines_of_mutants_stay_programs_of_some_length(void **state)
{
	static struct wp_program program;
	struct wp_random random;
	size_t sum = 0, full = 0, empty = 0;

	(void)state;
	wp_random_seed(&random, 4);
	for (unsigned line = 0; line < 100; line++) {
		program = (struct wp_program){.regime = all.regimes[0]};
		for (unsigned i = 0; i < 300; i++)
			wp_program_mutate(&program, &all, &random);
		sum += program.count;
		full += program.count == WP_PROGRAM_MAX_OPS;
		empty += program.count == 0;
	}
	assert_in_range(sum / 100, 10, 230);
	assert_true(full < 40);
	assert_true(empty < 20);
}

static void the_full_program_and_the_empty_one_have_mutants(void **state)
{
	static struct wp_program full, empty;
	struct wp_random random;
	unsigned grown = 0;

	(void)state;
	wp_random_seed(&random, 5);
	for (unsigned i = 0; i < ROUNDS; i++) {
		do
			any_program(&full, &random);
		while (full.count < WP_PROGRAM_MAX_OPS);
		wp_program_mutate(&full, &all, &random);
		assert_true(full.count <= WP_PROGRAM_MAX_OPS);
		empty = (struct wp_program){.regime = all.regimes[0]};
		wp_program_mutate(&empty, &all, &random);
		grown += empty.count > 0;
	}
	assert_true(grown > ROUNDS * 3 / 4);
}

/* -------------------------------------------------------------------- cross-over */

static void a_child_has_operations_of_both_and_no_others(void **state)
{
	static struct wp_program a, b, child, again;
	struct wp_random random, copy;
	unsigned both = 0, of_b = 0;

	(void)state;
	wp_random_seed(&random, 6);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t from_a = 0, from_b = 0;

		any_program(&a, &random);
		any_program(&b, &random);
		copy = random;
		wp_program_cross(&child, &a, &b, &random);
		wp_program_cross(&again, &a, &b, &copy);
		assert_true(wp_program_equal(&child, &again));
		assert_true(child.count <= WP_PROGRAM_MAX_OPS);
		assert_true(child.regime == a.regime || child.regime == b.regime);
		of_b += child.regime != a.regime;
		for (size_t k = 0; k < child.count; k++) {
			const bool in_a = times(&a, &child.ops[k]) > 0;
			const bool in_b = times(&b, &child.ops[k]) > 0;

			assert_true(in_a || in_b);
			from_a += in_a && !in_b;
			from_b += in_b && !in_a;
		}
		both += from_a > 0 && from_b > 0;
	}
	assert_true(both > ROUNDS / 2);
	assert_true(of_b > 0);
}

/* ---------------------------------------------------------------------- what is reached */

#ifndef SANITIZED
struct reached {
	struct wp_runner runner;
	struct wp_stats stats;
	struct wp_program kept[256];
	size_t count;
	size_t drawn[WP_OPCODES];
};

/* A line of mutants from the empty program; what shows something new has mutants too. */
static void reach(struct reached *reached, const struct wp_scope *scope)
{
	static struct wp_program program;
	struct wp_random random;
	struct wp_result result;
	char why[200];

	memset(reached, 0, sizeof *reached);
	assert_true(wp_runner_open(&reached->runner, &wp_library_subject, &reached->stats, why,
	                           sizeof why));
	reached->kept[0].regime = scope->regimes[0];
	reached->count = 1;
	wp_random_seed(&random, 7);
	for (unsigned i = 0; i < 5 * ROUNDS; i++) {
		const uint64_t before = reached->stats.point_count;
		size_t place = reached->count;

		program = reached->kept[wp_random_below(&random, reached->count)];
		wp_program_mutate(&program, scope, &random);
		for (size_t k = 0; k < program.count; k++)
			reached->drawn[program.ops[k].opcode]++;
		assert_true(wp_run(&reached->runner, &program, &result, NULL));
		if (reached->stats.point_count == before)
			continue;
		if (place == 256)
			place = wp_random_below(&random, 256);
		else
			reached->count++;
		reached->kept[place] = program;
	}
	wp_runner_close(&reached->runner);
}

/* For each architecture; every page size is the level that it is a leaf of. */
static void mutants_of_nothing_reach_every_operation_status_and_page_size(void **state)
{
	static struct reached reached;
	struct wp_scope scope;

	(void)state;
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		const char *name = wp_arch_name((enum wp_arch)arch);
		size_t statuses[PT_STATUSES] = {0};
		unsigned units = 0;

		wp_scope_of(&scope, name);
		reach(&reached, &scope);
		for (unsigned op = 0; op < WP_OPCODES; op++) {
			/* those with an address, and renew, are counted by status */
			const bool counted = op == WP_OP_RENEW ||
			                     (wp_opcode_shapes[op].operands & WP_ARG_VA);

			for (unsigned status = 0; status < PT_STATUSES; status++)
				statuses[status] += reached.stats.statuses[op][status];
			const bool refused = op == WP_OP_HARVEST &&
			                     wp_uses_recorded(scope.regimes[0]) == 0;
			const pt_status usual = refused ? PT_BAD_FLAGS : PT_OK;

			if (reached.drawn[op] < 50 ||
			    (counted && reached.stats.statuses[op][usual] < 20))
				fail_msg("%s: %s is drawn %zu times, ends as usual %u times", name,
				         wp_opcode_name((enum wp_opcode)op), reached.drawn[op],
				         (unsigned)reached.stats.statuses[op][usual]);
		}
		for (unsigned status = 0; status < PT_STATUSES; status++) {
			if (status != PT_MALFORMED && statuses[status] < 20)
				fail_msg("%s: status %u too rarely", name, status);
		}
		for (size_t i = 0; i < scope.count * WP_UNIT_BYTE; i++) {
			const struct wp_regime *regime = scope.regimes[i / WP_UNIT_BYTE];
			const unsigned unit = (unsigned)(i % WP_UNIT_BYTE);

			if ((regime->leaf_sizes & wp_unit_bytes(regime, unit)) != 0)
				units |= 1u << unit;
		}
		for (unsigned unit = 0; unit < WP_UNIT_BYTE; unit++) {
			if ((units >> unit & 1) && reached.stats.leaves[unit] < 20)
				fail_msg("%s: unit %u is mapped %u times", name, unit,
				         (unsigned)reached.stats.leaves[unit]);
		}
	}
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mutation_does_what_its_name_says),
		cmocka_unit_test(the_same_seed_makes_the_same_mutant_and_another_another),
		cmocka_unit_test(mutants_of_anything_are_in_the_one_form),
		cmocka_unit_test(every_kind_is_made_and_each_program_has_its_favourites),
		cmocka_unit_test(lines_of_mutants_stay_programs_of_some_length),
		cmocka_unit_test(the_full_program_and_the_empty_one_have_mutants),
		cmocka_unit_test(a_child_has_operations_of_both_and_no_others),
#ifndef SANITIZED /* it counts, and the targets mutate under sanitizers anyway */
		cmocka_unit_test(mutants_of_nothing_reach_every_operation_status_and_page_size),
#endif
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
