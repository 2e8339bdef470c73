/* SPDX-License-Identifier: MIT */
/* The shrinker, on the bugs that are planted in the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "damage.h"
#include "shrink.h"

/* Under sanitizers, which are slow, one bug in so many. */
#ifdef SANITIZED
#define ONE_IN 5u
#else
#define ONE_IN 1u
#endif

/* There are at least so many, so that no test here comes to run on none. */
#define PROGRAM_BUGS (50u / ONE_IN)
#define DAMAGE_BUGS  (5u / ONE_IN)
#define LONG_ONES    (15u / ONE_IN)

static struct wp_runner *runner;
static struct wp_stats stats;

static int open_runner(void **state)
{
	char why[200];

	(void)state;
	runner = malloc(sizeof *runner);
	assert_non_null(runner);
	assert_true(wp_runner_open(runner, &wp_library_subject, &stats, why, sizeof why));
	return 0;
}

static int close_runner(void **state)
{
	(void)state;
	wp_runner_close(runner);
	free(runner);
	return 0;
}

/* The regimes that a planted bug's backend is for. */
static void scope_of(const struct wp_subject *subject, struct wp_scope *scope)
{
	scope->count = 0;
	for (size_t i = 0; i < wp_regime_count; i++) {
		if (strcmp(wp_library_backend(&wp_regimes[i])->name, subject->backend->name) == 0)
			scope->regimes[scope->count++] = &wp_regimes[i];
	}
	assert_true(scope->count > 0);
}

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

/* It follows what a frame held before, wherever that leads; campaigns run it in a process apart. */
static const char ends_the_process[] = "x86-dirty-table";

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

/* ------------------------------------------------------------------------ tests */

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

/* ---- long programs ---- */

#define LONG 200u

/* False: they would break something, or don't fit; the program is as it was. */
static bool append_all(struct wp_program *program, const struct wp_program *from,
                       struct wp_result *result)
{
	const size_t count = program->count;

	if (from->regime != program->regime || count + from->count >= LONG)
		return false;
	memcpy(&program->ops[count], from->ops, from->count * sizeof from->ops[0]);
	program->count += from->count;
	if (wp_run(runner, program, result, NULL))
		return true;
	program->count = count;
	return false;
}

/* Operations that break nothing, until there are so many; then any, until one does. */
static bool make_long(struct wp_random *random, const struct wp_scope *scope,
                      struct wp_program *program, struct wp_result *result)
{
	static struct wp_program from;
	const struct wp_regime *regime = scope->regimes[0];

	program->regime = regime;
	program->count = 0;
	for (unsigned tries = 0; tries < 100 && program->count < WP_PROGRAM_MAX_OPS; tries++) {
		wp_program_generate(&from, scope, random);
		if (append_all(program, &from, result))
			continue;
		for (size_t i = 0; i < from.count && from.regime == regime; i++) {
			program->ops[program->count++] = from.ops[i];
			if (wp_run(runner, program, result, NULL)) {
				if (program->count == WP_PROGRAM_MAX_OPS)
					return false;
				continue;
			}
			if (program->count > LONG)
				return true;
			program->count--;
		}
	}
	return false;
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void a_finding_of_200_operations_comes_down_to_a_few(void **state)
{
	static struct wp_program program;
	static double took[128], sizes[128];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < wp_planted_subject_count && count < 128; i += ONE_IN) {
		const struct wp_subject *subject = wp_planted_subjects[i];
		struct wp_random random;
		struct wp_result result;
		struct wp_scope scope;
		double started;
		char key[96];

		if (subject->damaged_only || strcmp(subject->name, ends_the_process) == 0)
			continue;
		assert_true(wp_runner_use(runner, subject));
		scope_of(subject, &scope);
		scope.count = 1;
		wp_random_seed(&random, i);
		if (!make_long(&random, &scope, &program, &result))
			continue;
		assert_true(program.count > LONG);
		memcpy(key, result.key, sizeof key);
		started = milliseconds();
		assert_true(wp_shrink(runner, &program, &result, WP_SHRINK_RUNS));
		took[count] = milliseconds() - started;
		sizes[count++] = (double)program.count;
		assert_string_equal(result.key, key);
	}
	assert_true(count >= LONG_ONES);
	qsort(took, count, sizeof took[0], by_size);
	qsort(sizes, count, sizeof sizes[0], by_size);
	print_message("%zu findings of more than 200 operations: to %g operations in the median, "
	              "%g at most; %.1f ms in the median, %.1f ms at most\n",
	              count, sizes[count / 2], sizes[count - 1], took[count / 2], took[count - 1]);
	assert_true(sizes[count / 2] <= 5);
	assert_true(sizes[count - 1] <= 20);
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
	wp_damage_shrink(runner, &shrunk, &moved, &result);
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
		cmocka_unit_test(a_finding_of_200_operations_comes_down_to_a_few),
		cmocka_unit_test(it_takes_no_more_runs_than_it_may),
		cmocka_unit_test(the_damage_moves_with_the_operations_and_each_one_left_is_needed),
		cmocka_unit_test(what_only_damaged_tables_show_no_program_shows),
		cmocka_unit_test(a_program_that_breaks_nothing_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
