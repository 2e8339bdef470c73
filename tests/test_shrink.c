/* SPDX-License-Identifier: MIT */
/* The shrinker, on the bugs that are planted in the library. */
#include "shrink_fixture.h"

#include "damage.h"

/* There are at least so many, so that no test here comes to run on none. */
#define PROGRAM_BUGS (50u / ONE_IN)
#define DAMAGE_BUGS  (5u / ONE_IN)

/* A program that breaks a law, on the subject that the runner has. */
struct found {
	bool damaged; /* by itself it breaks none */
	struct wp_program program;
	struct wp_damage damage;
	struct wp_result result;
};

/* The next one. */
static void find_one(struct wp_random *random, const struct wp_scope *scope, struct found *found)
{
	struct wp_program *program = &found->program;
	struct wp_damage_stats aside = {0};

	for (unsigned tries = 0; tries < 5000; tries++) {
		wp_program_generate(program, scope, random);
		if (!found->damaged) {
			if (!wp_run(runner, program, &found->result, NULL))
				return;
			continue;
		}
		found->damage.at = 1 + wp_random_below(random, program->count);
		found->damage.seed = wp_random_next(random);
		if (!wp_damage_run(runner, program, &found->damage, &aside, &found->result))
			return;
	}
	fail_msg("no %s breaks %s", found->damaged ? "damage" : "program", runner->subject->name);
}

/* Calls `check` for a few findings of every planted bug that only damage shows, or of every other. */
static void for_each_finding(bool damaged, unsigned each, void (*check)(const struct found *found))
{
	static struct found found;
	size_t bugs = 0, met = 0;

	found.damaged = damaged;
	for (size_t i = 0; i < wp_planted_subject_count; i++) {
		struct wp_random random;
		struct wp_scope scope;

		if (wp_planted_subjects[i]->damaged_only != damaged ||
		    strcmp(wp_planted_subjects[i]->name, ends_the_process) == 0)
			continue;
		if (met++ % ONE_IN != 0)
			continue;
		bugs++;
		assert_true(wp_runner_use(runner, wp_planted_subjects[i]));
		scope_of(wp_planted_subjects[i], &scope);
		wp_random_seed(&random, i);
		for (unsigned n = 0; n < each; n++) {
			find_one(&random, &scope, &found);
			check(&found);
		}
	}
	assert_true(bugs >= (damaged ? DAMAGE_BUGS : PROGRAM_BUGS));
}

static bool still_breaks(const struct wp_program *program, const char *key)
{
	struct wp_result result;

	return !wp_run(runner, program, &result, NULL) && strcmp(result.key, key) == 0;
}

/* --- tests --- */

static void check_needed(const struct found *found)
{
	static struct wp_program shrunk, without;
	struct wp_result result;

	shrunk = found->program;
	assert_true(wp_shrink(runner, &shrunk, &result, WP_SHRINK_RUNS));
	assert_string_equal(result.key, found->result.key);
	assert_true(shrunk.count <= found->program.count);
	assert_true(still_breaks(&shrunk, found->result.key));
	for (size_t i = 0; i < shrunk.count; i++) {
		without = shrunk;
		without.count--;
		memmove(&without.ops[i], &without.ops[i + 1],
		        (without.count - i) * sizeof without.ops[0]);
		assert_false(still_breaks(&without, found->result.key));
	}
}

static void the_key_stays_and_every_operation_left_is_needed(void **state)
{
	(void)state;
	for_each_finding(false, 4, check_needed);
}

static void check_settled(const struct found *found)
{
	static struct wp_program shrunk;
	struct wp_result result;

	shrunk = found->program;
	assert_true(wp_shrink(runner, &shrunk, &result, WP_SHRINK_RUNS));
	for (size_t i = 0; i < shrunk.count; i++) {
		const struct wp_op *op = &shrunk.ops[i];

		if (op->opcode <= WP_OP_UNMAP_REGION && op->opcode != WP_OP_WALK)
			assert_int_equal(op->va.base, WP_BASE_RAW);
	}
}

static void what_is_left_has_addresses_that_depend_on_nothing(void **state)
{
	(void)state;
	for_each_finding(false, 2, check_settled);
}

static void check_again(const struct found *found)
{
	static struct wp_program once, twice;
	struct wp_result result;

	once = twice = found->program;
	assert_true(wp_shrink(runner, &once, &result, WP_SHRINK_RUNS));
	assert_true(wp_shrink(runner, &twice, &result, WP_SHRINK_RUNS));
	assert_true(wp_program_equal(&once, &twice));
}

static void the_same_program_shrinks_to_the_same_one(void **state)
{
	(void)state;
	for_each_finding(false, 2, check_again);
}

/* With one argument of one operation as plain as it can be. */
static void make_plain(struct wp_op *op, unsigned argument)
{
	switch (argument) {
	case 0:
		op->table = 0;
		break;
	case 1:
		op->va.value = 0;
		break;
	case 2:
		op->pa.value = 0;
		break;
	case 3:
		op->flags = op->flags == 0 ? 0 : (uint8_t)PT_READ;
		break;
	case 4:
		op->allow_huge = false;
		break;
	case 5:
		op->source = 0;
		break;
	case 6:
		if ((op->uses & (op->uses - 1)) != 0)
			op->uses &= (uint8_t)(op->uses - 1);
		break;
	default:
		op->once = false;
	}
}

static void check_plain(const struct found *found)
{
	static struct wp_program shrunk, plain;
	struct wp_result result;

	shrunk = found->program;
	assert_true(wp_shrink(runner, &shrunk, &result, WP_SHRINK_RUNS));
	for (size_t i = 0; i < shrunk.count; i++) {
		for (unsigned argument = 0; argument < 8; argument++) {
			plain = shrunk;
			make_plain(&plain.ops[i], argument);
			if (!wp_program_equal(&plain, &shrunk))
				assert_false(still_breaks(&plain, found->result.key));
		}
	}
}

static void no_argument_that_is_left_could_be_plain(void **state)
{
	(void)state;
	for_each_finding(false, 1, check_plain);
}

static void check_bound(const struct found *found)
{
	static struct wp_program shrunk;
	const uint64_t before = stats.programs;
	struct wp_result result;

	shrunk = found->program;
	assert_true(wp_shrink(runner, &shrunk, &result, 7));
	assert_true(stats.programs - before <= 8);
	assert_true(still_breaks(&shrunk, found->result.key));
}

static void it_takes_no_more_runs_than_it_may(void **state)
{
	(void)state;
	for_each_finding(false, 3, check_bound);
}

static bool still_breaks_damaged(const struct wp_program *program, const struct wp_damage *damage,
                                 const char *key)
{
	struct wp_damage_stats aside = {0};
	struct wp_result result;

	return !wp_damage_run(runner, program, damage, &aside, &result) &&
	       strcmp(result.key, key) == 0;
}

static void check_damage_needed(const struct found *found)
{
	static struct wp_program shrunk, without;
	struct wp_damage moved = found->damage;
	struct wp_result result = found->result;

	shrunk = found->program;
	wp_damage_shrink(runner, &shrunk, &moved, &result, WP_SHRINK_RUNS);
	assert_string_equal(result.key, found->result.key);
	assert_int_equal(moved.seed, found->damage.seed);
	assert_true(shrunk.count <= found->program.count);
	assert_true(moved.at <= shrunk.count);
	assert_true(still_breaks_damaged(&shrunk, &moved, found->result.key));
	for (size_t i = 0; i < shrunk.count; i++) {
		const struct wp_damage earlier = {moved.at - (i < moved.at), moved.seed};

		without = shrunk;
		without.count--;
		memmove(&without.ops[i], &without.ops[i + 1],
		        (without.count - i) * sizeof without.ops[0]);
		assert_false(still_breaks_damaged(&without, &earlier, found->result.key));
	}
}

static void the_damage_moves_with_the_operations_and_each_one_left_is_needed(void **state)
{
	(void)state;
	for_each_finding(true, 8, check_damage_needed);
}

/* Else a bug that programs have come to find would be shrunk here as damage only. */
static void what_only_damaged_tables_show_no_program_shows(void **state)
{
	(void)state;
	for (size_t i = 0; i < wp_planted_subject_count; i++) {
		static struct wp_program program;
		struct wp_random random;
		struct wp_result result;
		struct wp_scope scope;

		if (!wp_planted_subjects[i]->damaged_only)
			continue;
		assert_true(wp_runner_use(runner, wp_planted_subjects[i]));
		scope_of(wp_planted_subjects[i], &scope);
		wp_random_seed(&random, i);
		for (unsigned n = 0; n < 500; n++) {
			wp_program_generate(&program, &scope, &random);
			assert_true(wp_run(runner, &program, &result, NULL));
		}
	}
}

static void a_program_that_breaks_nothing_stays_as_it_is(void **state)
{
	static struct wp_program program, before;
	struct wp_random random;
	struct wp_result result;
	struct wp_scope scope;

	(void)state;
	assert_true(wp_runner_use(runner, &wp_library_subject));
	wp_scope_of(&scope, "");
	wp_random_seed(&random, 1);
	for (unsigned i = 0; i < 20; i++) {
		wp_program_generate(&program, &scope, &random);
		before = program;
		assert_false(wp_shrink(runner, &program, &result, WP_SHRINK_RUNS));
		assert_true(wp_program_equal(&program, &before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_stays_and_every_operation_left_is_needed),
		cmocka_unit_test(what_is_left_has_addresses_that_depend_on_nothing),
		cmocka_unit_test(the_same_program_shrinks_to_the_same_one),
		cmocka_unit_test(no_argument_that_is_left_could_be_plain),
		cmocka_unit_test(it_takes_no_more_runs_than_it_may),
		cmocka_unit_test(the_damage_moves_with_the_operations_and_each_one_left_is_needed),
		cmocka_unit_test(what_only_damaged_tables_show_no_program_shows),
		cmocka_unit_test(a_program_that_breaks_nothing_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
