/* SPDX-License-Identifier: MIT */
/*
 * The mutator as libFuzzer and AFL++ call it. The part of the engine is played here: its
 * byte mutator counts how often it is called.
 */
#include "mutator_fixture.h"

#include "../fuzz/targets/mutator_afl.h"
#include "../fuzz/targets/mutator_libfuzzer.h"

static unsigned byte_mutations;

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size)
{
	(void)bytes;
	byte_mutations++;
	return size < max_size ? size : max_size;
}

static void one_mutation_in_eight_is_left_to_libfuzzer(void **state)
{
	static uint8_t bytes[4000], out[4000];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 9);
	byte_mutations = 0;
	for (unsigned seed = 0; seed < 8000; seed++) {
		size_t size = generate(0, &random, bytes, 400);

		assert_in_range(LLVMFuzzerCustomMutator(bytes, size, 400, seed), 1, 400);
		size = LLVMFuzzerCustomCrossOver(bytes, size, bytes, size, out, 300, seed);
		assert_in_range(size, 1, 300);
	}
	assert_in_range(byte_mutations, 900, 1100);
}

static struct wp_afl *open_afl(const char *target)
{
	struct wp_afl *afl;

	setenv("WALKPROOF_TARGET", target, 1);
	afl = afl_custom_init(NULL, 1);
	assert_non_null(afl);
	return afl;
}

static void afl_gets_mutants_children_and_descriptions(void **state)
{
	static uint8_t bytes[8000], other[8000];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 10);
	for (size_t target = 0; target < TARGETS; target++) {
		struct wp_afl *afl = open_afl(targets[target]);
		unsigned crossed = 0;

		for (unsigned i = 0; i < 1000; i++) {
			const size_t size = generate(target, &random, bytes, sizeof bytes);
			const size_t more = generate(target, &random, other, sizeof other);
			const size_t most = 1 + wp_random_below(&random, 500);
			uint8_t *out = NULL;
			size_t length = afl_custom_fuzz(afl, bytes, size, &out, other, more, most);

			assert_in_range(length, 1, most);
			assert_valid(target, out, length);
			crossed += strcmp(afl_custom_describe(afl, 100), "cross") == 0;
			length = afl_custom_havoc_mutation(afl, bytes, size, &out, most);
			assert_in_range(length, 1, most);
			assert_valid(target, out, length);
		}
		assert_in_range(crossed, 200, 300);
		assert_int_equal(afl_custom_havoc_mutation_probability(afl), 88);
		afl_custom_deinit(afl);
	}
}

/* Whether the input still has, in some operation or recipe, the first byte and another. */
static bool is_interesting(const uint8_t *bytes, size_t size, const uint8_t *sign, size_t length)
{
	return memmem(bytes, size, sign, length) != NULL;
}

/* Trimming as AFL++ does it, in which only one operation matters. */
static void trimming_leaves_the_operation_that_matters(void **state)
{
	const uint8_t sign[] = {wp_opcode_byte(WP_OP_WALK), 1, 0x12, 0x34};
	static struct wp_program program;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES], input[WP_PROGRAM_MAX_BYTES];
	struct wp_afl *afl = open_afl("fuzz_x86_64");
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 11);
	for (unsigned i = 0; i < 300; i++) {
		int32_t steps, step, runs = 0;
		size_t size, at;

		do
			wp_program_generate(&program, &mutators[0].scope, &random);
		while (program.count < 2);
		at = wp_random_below(&random, program.count);
		program.ops[at] = (struct wp_op){.opcode = WP_OP_WALK, .table = 1};
		program.ops[at].count = (uint16_t)~0x3412u;
		size = wp_program_encode(&program, &mutators[0].scope, input, sizeof input);
		steps = afl_custom_init_trim(afl, input, size);
		for (step = 0; step < steps;) {
			uint8_t *out;
			const size_t length = afl_custom_trim(afl, &out);
			const bool same = is_interesting(out, length, sign, sizeof sign);

			assert_true(length <= size);
			if (same) {
				memcpy(bytes, out, length);
				size = length;
			}
			step = afl_custom_post_trim(afl, same);
			assert_true(++runs <= 4 * WP_PROGRAM_MAX_OPS);
		}
		assert_int_equal(size, 2 + sizeof sign);
		assert_memory_equal(bytes + 2, sign, sizeof sign);
	}
	afl_custom_deinit(afl);
}

static void inputs_of_one_operation_or_none_are_not_trimmed(void **state)
{
	const uint8_t one[] = {WP_PROGRAM_VERSION, 0, wp_opcode_byte(WP_OP_PROBE)};
	struct wp_afl *afl = open_afl("fuzz_x86_64");
	uint8_t bytes[3];

	(void)state;
	memcpy(bytes, one, sizeof one);
	assert_int_equal(afl_custom_init_trim(afl, bytes, sizeof bytes), 0);
	assert_int_equal(afl_custom_init_trim(afl, bytes, 0), 0);
	afl_custom_deinit(afl);
}

/* What many mutations in AFL++'s hands come to, as one number. */
static uint64_t mutations_of_afl(const char *mode)
{
	static const uint8_t start[] = {WP_PROGRAM_VERSION, 0, WP_OP_PROBE};
	uint64_t hash = 0;
	struct wp_afl *afl;

	setenv("WALKPROOF_MUTATOR", mode, 1);
	afl = open_afl("fuzz_x86_64");
	for (unsigned i = 0; i < 200; i++) {
		uint8_t bytes[sizeof start], *out = NULL;
		size_t size;

		memcpy(bytes, start, sizeof start);
		size = afl_custom_fuzz(afl, bytes, sizeof bytes, &out, NULL, 0, 400);
		for (size_t k = 0; k < size; k++)
			hash = hash * 31 + out[k];
	}
	afl_custom_deinit(afl);
	unsetenv("WALKPROOF_MUTATOR");
	return hash;
}

static void afl_draws_without_swarms_when_asked_to(void **state)
{
	(void)state;
	assert_int_equal(mutations_of_afl(""), mutations_of_afl(""));
	assert_int_equal(mutations_of_afl("unswarmed"), mutations_of_afl("unswarmed"));
	assert_int_not_equal(mutations_of_afl("unswarmed"), mutations_of_afl(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_mutation_in_eight_is_left_to_libfuzzer),
		cmocka_unit_test(afl_gets_mutants_children_and_descriptions),
		cmocka_unit_test(afl_draws_without_swarms_when_asked_to),
		cmocka_unit_test(trimming_leaves_the_operation_that_matters),
		cmocka_unit_test(inputs_of_one_operation_or_none_are_not_trimmed),
	};

	return cmocka_run_group_tests(tests, open_all, NULL);
}
