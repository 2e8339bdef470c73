/* SPDX-License-Identifier: MIT */
/*
 * L2 by a sweep: every allocation of some programs refused, under every regime; that
 * the sweep refuses them all; and that what breaks the law in it is a program which
 * breaks it by itself.
 */
#include "runner_fixture.h"

#include "refusals.h"

#define SEED 7u

static void every_allocation_can_be_refused_under_every_regime(void **state)
{
	static struct wp_program program, refused;
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, SEED);
	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_scope scope = {{&wp_regimes[i]}, 1};
		size_t points = 0, programs = 0;

		while (programs++ < 12) {
			struct wp_refusals count;
			struct wp_result result;

			wp_program_generate(&program, &scope, &random);
			if (!wp_refuse_each(&runner, &program, &wp_refuse_all, &refused, &result,
			                    &count)) {
				print_error("%s: %s\n", result.key, result.finding.sentence);
				wp_program_print(&refused, stderr);
				fail();
			}
			if (count.allocations <= wp_refuse_all.dense)
				assert_int_equal(count.points, count.allocations);
			assert_int_equal(count.runs, 1 + 2 * count.points);
			points += count.points;
		}
		assert_true(points > 30);
	}
}

static void a_sparse_plan_refuses_as_many_as_it_says(void **state)
{
	static const struct wp_refusal_plan plan = {2, 3};
	static struct wp_program program, refused;
	struct wp_random random;
	struct wp_scope scope;
	size_t long_ones = 0;

	(void)state;
	wp_scope_of(&scope, "");
	wp_random_seed(&random, SEED);
	for (unsigned i = 0; i < 60; i++) {
		struct wp_refusals count;
		struct wp_result result;

		wp_program_generate(&program, &scope, &random);
		assert_true(wp_refuse_each(&runner, &program, &plan, &refused, &result, &count));
		assert_true(count.points <= plan.dense + plan.sparse);
		if (count.allocations > 12) {
			assert_true(count.points > plan.dense);
			long_ones++;
		}
	}
	assert_true(long_ones > 10);
}

/* Half of a region, if it is refused its third table. */
static pt_status map_half(struct wp_instance *instance, unsigned table, uint64_t va, uint64_t pa,
                          uint64_t size, pt_flags flags, bool allow_huge)
{
	const pt_status status = wp_library_subject.map_region(instance, table, va, pa, size, flags,
	                                                       allow_huge);

	if (status == PT_NO_MEMORY && runner.memory.allocations >= 3)
		wp_library_subject.map(instance, table, va, pa, PT_4K, flags);
	return status;
}

/* The program of `text` is run on `subject`, which is the library but for one function. */
static void use_odd(const struct wp_subject *subject, struct wp_program *program, const char *text)
{
	parse(program, "x86_64", text);
	assert_true(wp_runner_use(&runner, subject));
}

/* On the library as it is nothing breaks. */
static void put_back(const struct wp_program *program)
{
	static struct wp_program refused;
	struct wp_refusals count;
	struct wp_result result;

	assert_true(wp_runner_use(&runner, &wp_library_subject));
	assert_true(wp_refuse_each(&runner, program, &wp_refuse_all, &refused, &result, &count));
}

static void what_breaks_in_the_sweep_is_a_program(void **state)
{
	static const char text[] = "map t0 va=0x1000 pa=0x1000 size=4K flags=r-----\n"
				   "map_region t0 va=0x3000 pa=0x3000 size=2x2M flags=r-----\n"
				   "query t0 va=0x3000\n";
	static struct wp_program program, refused;
	struct wp_subject half = wp_library_subject;
	struct wp_result result, again;
	struct wp_refusals count;

	(void)state;
	half.map_region = map_half;
	use_odd(&half, &program, text);
	assert_true(wp_run(&runner, &program, &result, NULL));
	assert_false(wp_refuse_each(&runner, &program, &wp_refuse_all, &refused, &result, &count));
	assert_int_equal(refused.ops[0].opcode, WP_OP_REFUSE);
	assert_false(wp_run(&runner, &refused, &again, NULL));
	assert_string_equal(again.key, result.key);
	put_back(&program);
}

/* Writes an entry back as it was: through the hook, and past it. */
static pt_status query_and_store(struct wp_instance *instance, unsigned table, uint64_t va,
                                 struct pt_mapping *mapping)
{
	const uint64_t root = wp_library_subject.root(instance, table);
	volatile uint64_t *entry =
		(volatile uint64_t *)(void *)(runner.reading.view + root - runner.memory.base);

	*entry = *entry;
	return wp_library_subject.query(instance, table, va, mapping);
}

static void a_store_by_query_is_found_whatever_it_stores(void **state)
{
	static const char text[] = "query t0 va=0x3000\n";
	static struct wp_program program;
	struct wp_subject storing = wp_library_subject;
	struct wp_result result;

	(void)state;
	storing.query = query_and_store;
	use_odd(&storing, &program, text);
	assert_false(wp_run(&runner, &program, &result, NULL));
	assert_int_equal(result.finding.law, WP_LAW_READING_WRITES_NOTHING);
	assert_string_equal(result.key, "x86_64-L5-query-store");
	put_back(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_can_be_refused_under_every_regime),
		cmocka_unit_test(a_sparse_plan_refuses_as_many_as_it_says),
		cmocka_unit_test(what_breaks_in_the_sweep_is_a_program),
		cmocka_unit_test(a_store_by_query_is_found_whatever_it_stores),
	};

	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
