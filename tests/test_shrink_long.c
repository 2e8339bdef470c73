/* SPDX-License-Identifier: MIT */
/* The shrinker, on findings of more than 200 operations. */
#include "shrink_fixture.h"

#include <time.h>

/* There are at least so many, so that the test does not come to run on none. */
#define LONG_ONES (15u / ONE_IN)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_of_200_operations_comes_down_to_a_few),
	};

	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
