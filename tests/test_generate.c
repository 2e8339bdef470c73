/* SPDX-License-Identifier: MIT */
/* The generator must not rot: what it makes is run on the model, and counted. */
#include "generate_tally.h"

static struct tally tallies[32];

static int run_all(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++)
		tally_regime(&tallies[r], &wp_regimes[r]);
	return 0;
}

/* ------------------------------------------------------------------------ tests */

static void random_numbers_are_those_of_the_definition(void **state)
{
	struct wp_random random = {.state = {1, 2, 3, 4}};
	unsigned seen = 0;

	(void)state;
	assert_int_equal(wp_random_next(&random), 11520);
	assert_int_equal(wp_random_next(&random), 0);
	assert_int_equal(wp_random_next(&random), 1509978240);
	assert_int_equal(wp_random_next(&random), 1215971899390074240);
	for (unsigned i = 0; i < 1000; i++) {
		const uint64_t number = wp_random_below(&random, 7);

		assert_true(number < 7);
		seen |= 1u << number;
	}
	assert_int_equal(seen, 0x7f);
}

static void a_seed_makes_the_same_program_and_another_seed_another(void **state)
{
	static struct wp_program a, b, c;
	struct wp_random random;
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "");
	for (uint64_t seed = 0; seed < 200; seed++) {
		wp_random_seed(&random, seed);
		wp_program_generate(&a, &scope, &random);
		wp_program_generate(&c, &scope, &random);
		wp_random_seed(&random, seed);
		memset(&b, 0xa5, sizeof b);
		wp_program_generate(&b, &scope, &random);
		assert_true(wp_program_equal(&a, &b));
		assert_false(wp_program_equal(&a, &c));
	}
}

static void programs_survive_the_trip_through_bytes(void **state)
{
	static struct wp_program program, again;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "riscv64");
	wp_random_seed(&random, 2);
	for (unsigned i = 0; i < 2000; i++) {
		wp_program_generate(&program, &scope, &random);
		wp_program_decode(&again, &scope, bytes,
		                  wp_program_encode(&program, &scope, bytes, sizeof bytes));
		assert_true(wp_program_equal(&program, &again));
	}
}

/* One that offers four calls, 4 KiB pages, and refuses nothing. */
static void a_subject_is_not_drawn_what_it_lacks_or_leaves_out(void **state)
{
	const uint32_t offered = 1u << WP_OP_MAP | 1u << WP_OP_UNMAP | 1u << WP_OP_QUERY |
	                         1u << WP_OP_MAP_REGION_WITH;
	const struct wp_unasked unasked = {
		~offered, 1u << WP_NO_HUGE | 1u << WP_ASSUMES_SIZES | 1u << WP_NO_NO_ACCESS |
				  1u << WP_NO_MEMORY_TYPES | 1u << WP_ASSUMES_LINEAR |
				  1u << WP_TRUNCATES_ADDRESSES | 1u << WP_ASSUMES_ALIGNED |
				  1u << WP_APPROXIMATES_FLAGS};
	static struct wp_program program;
	struct wp_random random;
	struct wp_scope scope;
	uint32_t drawn = 0;

	(void)state;
	wp_scope_of(&scope, "");
	wp_random_seed(&random, 3);
	for (unsigned i = 0; i < 2000; i++) {
		wp_program_generate_for(&program, &scope, &unasked, &random);
		for (size_t j = 0; j < program.count; j++) {
			const struct wp_op *op = &program.ops[j];

			drawn |= 1u << op->opcode;
			assert_false(op->allow_huge);
			if (op->opcode == WP_OP_MAP)
				assert_int_equal(op->length.unit, WP_UNIT_4K);
			if (op->opcode != WP_OP_MAP && op->opcode != WP_OP_MAP_REGION_WITH)
				continue;
			assert_int_equal(op->flags & (PT_DEVICE | PT_UNCACHED), 0);
			assert_int_not_equal(op->flags & (PT_READ | PT_WRITE | PT_EXECUTE), 0);
		}
	}
	assert_int_equal(drawn, offered);
}

static void programs_are_short_as_a_rule_and_long_now_and_then(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const size_t mean = tallies[r].ops / tallies[r].programs;

		assert_in_range(mean, 26, 38);
		assert_in_range(tallies[r].longest, 150, WP_PROGRAM_MAX_OPS);
	}
}

static void every_operation_is_drawn_and_every_operation_is_off_in_some_programs(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++) {
			if (tallies[r].drawn[opcode] < 100 || tallies[r].without[opcode] < 10)
				fail_msg("%s: %s %zu times, off in %zu", wp_regimes[r].name,
				         wp_opcode_name(opcode), tallies[r].drawn[opcode],
				         tallies[r].without[opcode]);
		}
	}
}

static size_t with_status(const struct tally *tally, unsigned status)
{
	size_t sum = 0;

	for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++)
		sum += tally->statuses[opcode][status];
	return sum;
}

static void every_status_occurs_but_malformed(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned status = 0; status < PT_STATUSES; status++) {
			const size_t times = with_status(&tallies[r], status);

			if (status != PT_MALFORMED && times < 200)
				fail_msg("%s: status %u %zu times", wp_regimes[r].name, status,
				         times);
		}
	}
}

/* Else no program would be mostly about one thing. */
static void what_belongs_together_is_off_together_in_many_programs(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		assert_true(tallies[r].without[WP_OP_COPY_FROM] * 3 > tallies[r].longer);
		assert_true(tallies[r].without[WP_OP_BATCH] * 3 > tallies[r].longer);
		assert_true(tallies[r].without[WP_OP_REFUSE] * 3 > tallies[r].longer);
	}
}

static void most_copies_are_of_whole_root_slots(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const size_t *statuses = tallies[r].statuses[WP_OP_COPY_FROM];

		assert_true(statuses[PT_OK] > 10 * statuses[PT_NOT_ALIGNED]);
	}
}

/* Operations without a status have no counts here. */
static void every_call_succeeds_and_fails(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++) {
			const size_t *statuses = tallies[r].statuses[opcode];
			size_t failures = 0;

			for (unsigned status = 1; status < PT_STATUSES; status++)
				failures += statuses[status];
			if (statuses[PT_OK] + failures == 0)
				continue;
			/* of what no CPU records nothing can be harvested */
			if (opcode == WP_OP_HARVEST && wp_uses_recorded(&wp_regimes[r]) == 0) {
				assert_int_equal(statuses[PT_OK], 0);
				assert_true(statuses[PT_BAD_FLAGS] >= 100);
				continue;
			}
			if (statuses[PT_OK] < 100 || failures < 20)
				fail_msg("%s: %s succeeds %zu times, fails %zu", wp_regimes[r].name,
				         wp_opcode_name(opcode), statuses[PT_OK], failures);
		}
	}
}

/*
 * Each status in each call that can have it: what the model may answer and the
 * generator never provokes is never tested.
 */
static void every_call_meets_the_statuses_that_it_lists(void **state)
{
#define BIT(status) (1u << (status))
	enum {
		ADDRESS = BIT(PT_BAD_ADDRESS),
		LEAF = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_NOT_MAPPED),
		NEW = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_BAD_SIZE) |
		      BIT(PT_BAD_FLAGS) | BIT(PT_ALREADY_MAPPED) | BIT(PT_MAPPED_TO_HUGE_PAGE) |
		      BIT(PT_NO_MEMORY),
		REGION = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_BAD_SIZE) |
		         BIT(PT_NO_MEMORY),
		SLOTS = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BAD_SIZE),
	};
	static const unsigned listed[WP_OPCODES] = {
		[WP_OP_MAP] = NEW,
		[WP_OP_UNMAP] = LEAF,
		[WP_OP_PROTECT] = LEAF | BIT(PT_BAD_FLAGS),
		[WP_OP_REMAP] = LEAF | BIT(PT_BAD_FLAGS),
		[WP_OP_QUERY] = ADDRESS | BIT(PT_NOT_MAPPED),
		[WP_OP_MAP_REGION] = NEW,
		[WP_OP_MAP_REGION_WITH] = NEW,
		[WP_OP_UNMAP_REGION] = REGION | BIT(PT_NOT_MAPPED),
		[WP_OP_PROTECT_REGION] = REGION | BIT(PT_BAD_FLAGS),
		[WP_OP_HARVEST] = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) |
	                          BIT(PT_BAD_SIZE) | BIT(PT_BAD_FLAGS),
		[WP_OP_COPY_FROM] = SLOTS | BIT(PT_BORROWED),
		[WP_OP_GIVE_BACK] = SLOTS,
		[WP_OP_RENEW] = BIT(PT_BORROWED) | BIT(PT_NO_MEMORY),
	};
#undef BIT

	(void)state;
	for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++) {
		for (unsigned status = 0; status < PT_STATUSES; status++) {
			size_t times = 0;

			for (size_t r = 0; r < wp_regime_count; r++)
				times += tallies[r].statuses[opcode][status];
			if ((listed[opcode] >> status & 1) && times < 20)
				fail_msg("%s: status %u %zu times", wp_opcode_name(opcode), status,
				         times);
		}
	}
}

static void most_calls_succeed_and_many_do_not(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const size_t succeeded = with_status(&tallies[r], PT_OK);
		size_t calls = 0;

		for (unsigned status = 0; status < PT_STATUSES; status++)
			calls += with_status(&tallies[r], status);
		assert_in_range(100 * succeeded / calls, 60, 80);
	}
}

static void every_leaf_size_is_mapped(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned unit = 0; unit < WP_UNIT_BYTE; unit++) {
			const bool has = wp_regimes[r].leaf_sizes &
			                 wp_unit_bytes(&wp_regimes[r], unit);

			assert_true(has ? tallies[r].leaves[unit] >= 300
			                : tallies[r].leaves[unit] == 0);
		}
		assert_true(tallies[r].mapped_by_huge >= 300);
	}
}

static void every_source_maps_but_the_unaligned_one(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned source = 0; source < WP_SOURCES; source++) {
			if (source == WP_SOURCE_UNALIGNED)
				assert_int_equal(tallies[r].sources[source], 0);
			else
				assert_true(tallies[r].sources[source] >= 50);
		}
		assert_true(tallies[r].statuses[WP_OP_MAP_REGION_WITH][PT_NOT_ALIGNED] >= 50);
	}
}

static void every_base_is_drawn(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		for (unsigned base = 0; base < WP_BASES; base++)
			assert_true(tallies[r].bases[base] >= 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_numbers_are_those_of_the_definition),
		cmocka_unit_test(a_seed_makes_the_same_program_and_another_seed_another),
		cmocka_unit_test(programs_survive_the_trip_through_bytes),
		cmocka_unit_test(a_subject_is_not_drawn_what_it_lacks_or_leaves_out),
		cmocka_unit_test(programs_are_short_as_a_rule_and_long_now_and_then),
		cmocka_unit_test(
			every_operation_is_drawn_and_every_operation_is_off_in_some_programs),
		cmocka_unit_test(what_belongs_together_is_off_together_in_many_programs),
		cmocka_unit_test(most_copies_are_of_whole_root_slots),
		cmocka_unit_test(every_status_occurs_but_malformed),
		cmocka_unit_test(every_call_succeeds_and_fails),
		cmocka_unit_test(every_call_meets_the_statuses_that_it_lists),
		cmocka_unit_test(most_calls_succeed_and_many_do_not),
		cmocka_unit_test(every_leaf_size_is_mapped),
		cmocka_unit_test(every_source_maps_but_the_unaligned_one),
		cmocka_unit_test(every_base_is_drawn),
	};

	return cmocka_run_group_tests(tests, run_all, NULL);
}
