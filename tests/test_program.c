/* SPDX-License-Identifier: MIT */
/* Programs as bytes. */
#include "program_fixture.h"

#define ROUNDS 4000

static struct wp_scope all;

static int set_up(void **state)
{
	(void)state;
	wp_scope_of(&all, "");
	return 0;
}

/* ----------------------------------------------------------------------- the scope */

static void scope_holds_the_regimes_that_a_prefix_names(void **state)
{
	struct wp_scope scope;

	(void)state;
	assert_int_equal(all.count, wp_regime_count);
	wp_scope_of(&scope, "x86_64");
	assert_int_equal(scope.count, 2);
	wp_scope_of(&scope, "riscv64_sv48");
	assert_int_equal(scope.count, 3);
	assert_string_equal(scope.regimes[0]->name, "riscv64_sv48");
	wp_scope_of(&scope, "riscv64_sv4");
	assert_int_equal(scope.count, 0);
	wp_scope_of(&scope, "aarch64_high");
	assert_int_equal(scope.count, 1);
}

static void a_byte_means_the_regime_that_it_meant_in_the_first_corpora(void **state)
{
	struct wp_scope scope;

	(void)state;
	wp_scope_of(&scope, "x86_64");
	for (unsigned byte = 0; byte < 256; byte++)
		assert_ptr_equal(wp_scope_regime(&scope, (uint8_t)byte), &wp_regimes[byte % 2]);
	for (unsigned byte = 0; byte < 128; byte++)
		assert_ptr_equal(wp_scope_regime(&all, (uint8_t)byte), &wp_regimes[byte % 16]);
	for (unsigned byte = 128 + (unsigned)all.count - 16; byte < 256; byte++)
		assert_ptr_equal(wp_scope_regime(&all, (uint8_t)byte), &wp_regimes[byte % 16]);
}

/* The first twenty, in this order; a byte stood for one of them, modulo. */
static void a_byte_means_the_operation_that_it_meant_in_the_first_corpora(void **state)
{
	static const char *const names[] = {
		"map",        "unmap",           "protect",      "remap",          "query",
		"map_region", "map_region_with", "unmap_region", "protect_region", "walk",
		"copy_from",  "give_back",       "batch",        "flush",          "flush_all",
		"ignore",     "refuse",          "allow",        "renew",          "probe",
	};

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const char *name = byte == 144 ? "harvest" : names[byte % 20];

		assert_string_equal(wp_opcode_name(wp_byte_opcode((uint8_t)byte)), name);
	}
}

static void every_operation_has_a_byte(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++)
		assert_int_equal(wp_byte_opcode(wp_opcode_byte((enum wp_opcode)opcode)), opcode);
}

static void every_regime_of_a_scope_has_a_byte(void **state)
{
	static const char *const prefixes[] = {"", "x86_64", "riscv64", "x86_ept"};

	(void)state;
	for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
		struct wp_scope scope;

		wp_scope_of(&scope, prefixes[p]);
		assert_true(scope.count > 0);
		for (size_t i = 0; i < scope.count; i++) {
			const uint8_t byte = wp_scope_byte(&scope, scope.regimes[i]);

			assert_ptr_equal(wp_scope_regime(&scope, byte), scope.regimes[i]);
		}
	}
}

/* ----------------------------------------------------------------------- the bytes */

static void zero_bytes_decode_to_the_simplest_program(void **state)
{
	static const uint8_t zeros[64];
	static struct wp_program program;
	const struct wp_op *op = &program.ops[0];

	(void)state;
	wp_program_decode(&program, &all, zeros, sizeof zeros);
	assert_ptr_equal(program.regime, all.regimes[0]);
	assert_true(program.count > 4);
	assert_int_equal(op->opcode, WP_OP_MAP);
	assert_int_equal(op->va.base, WP_BASE_HOT);
	assert_int_equal(op->va.offset, 0);
	assert_int_equal(op->length.unit, WP_UNIT_4K);
	assert_int_equal(op->length.count, 1);
	assert_int_equal(op->flags, 0);
}

static void nothing_decodes_to_the_empty_program(void **state)
{
	static const uint8_t version[2] = {WP_PROGRAM_VERSION, 1};
	const struct wp_scope none = {.count = 0};
	struct wp_program program;

	(void)state;
	wp_program_decode(&program, &all, version, 0);
	assert_int_equal(program.count, 0);
	assert_ptr_equal(program.regime, all.regimes[0]);
	wp_program_decode(&program, &all, version, 2);
	assert_int_equal(program.count, 0);
	assert_ptr_equal(program.regime, all.regimes[1]);
	wp_program_decode(&program, &none, version, 2);
	assert_non_null(program.regime);
}

/* What decode() writes beyond `count` is nobody's business; before it, all must be valid. */
static void assert_valid(const struct wp_program *program)
{
	assert_true(program->count <= WP_PROGRAM_MAX_OPS);
	for (size_t i = 0; i < program->count; i++) {
		const struct wp_op *op = &program->ops[i];

		assert_true(op->opcode < WP_OPCODES && op->table < WP_MODEL_TABLES);
		assert_true(op->va.base < WP_BASES && op->va.unit < WP_UNITS);
		assert_true(op->pa.base < WP_BASES && op->pa.unit < WP_UNITS);
		assert_true(op->length.unit <= WP_UNITS && op->source < WP_SOURCES);
	}
}

static void any_bytes_decode_and_always_to_the_same(void **state)
{
	static struct wp_program program, again;
	static uint8_t bytes[6000], encoded[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		const size_t size = wp_random_below(&random, sizeof bytes) >> (round % 8);
		size_t length;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)wp_random_next(&random);
		wp_program_decode(&program, &all, bytes, size);
		assert_valid(&program);
		memset(&again, 0xa5, sizeof again);
		wp_program_decode(&again, &all, bytes, size);
		assert_same(&program, &again);

		length = wp_program_encode(&program, &all, encoded, sizeof encoded);
		memset(&again, 0xa5, sizeof again);
		wp_program_decode(&again, &all, encoded, length);
		assert_same(&program, &again);
	}
}

static void bytes_lose_nothing(void **state)
{
	static struct wp_program program, again;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 2);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t size;

		any_program(&program, &random);
		size = wp_program_encode(&program, &all, bytes, sizeof bytes);
		wp_program_decode(&again, &all, bytes, size);
		assert_same(&program, &again);
	}
}

static void a_truncated_input_is_a_shorter_program(void **state)
{
	static struct wp_program program, part;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;
	size_t size, count = 0;

	(void)state;
	wp_random_seed(&random, 3);
	do
		any_program(&program, &random);
	while (program.count < WP_PROGRAM_MAX_OPS);
	size = wp_program_encode(&program, &all, bytes, sizeof bytes);
	for (size_t cut = 2; cut <= size; cut++) {
		/* A copy of its own, so that a sanitizer sees a read too far. */
		uint8_t *copy = malloc(cut);

		assert_non_null(copy);
		memcpy(copy, bytes, cut);
		wp_program_decode(&part, &all, copy, cut);
		free(copy);
		assert_in_range(part.count, count, count + 1);
		count = part.count;
		for (size_t i = part.count; i < program.count; i++)
			part.ops[i] = program.ops[i];
		part.count = program.count;
		assert_true(wp_program_equal(&program, &part));
	}
	assert_int_equal(count, program.count);
}

static void a_program_ends_at_its_largest_count(void **state)
{
	static const uint8_t zeros[2 * WP_PROGRAM_MAX_BYTES];
	static struct wp_program program;

	(void)state;
	wp_program_decode(&program, &all, zeros, sizeof zeros);
	assert_int_equal(program.count, WP_PROGRAM_MAX_OPS);
}

static void encode_stops_at_the_last_operation_that_fits(void **state)
{
	static struct wp_program program, part;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	struct wp_random random;
	size_t size, count;

	(void)state;
	wp_random_seed(&random, 4);
	do
		any_program(&program, &random);
	while (program.count < 8 || program.count == WP_PROGRAM_MAX_OPS);
	count = program.count;
	size = wp_program_encode(&program, &all, bytes, sizeof bytes);
	for (size_t capacity = 2; capacity < size; capacity++) {
		const size_t fit = wp_program_encode(&program, &all, bytes, capacity);

		assert_true(fit <= capacity);
		wp_program_decode(&part, &all, bytes, fit);
		assert_int_equal(fit, wp_program_encode(&part, &all, bytes, sizeof bytes));
		assert_true(part.count < program.count);
		program.count = part.count;
		assert_same(&program, &part);
		program.count = count;
	}
}

/* Each opcode with raw addresses, a raw length and unknown flags. */
static void the_largest_program_fits_in_the_promised_bytes(void **state)
{
	static struct wp_program program, again;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES + 1];

	(void)state;
	for (uint8_t opcode = 0; opcode < WP_OPCODES; opcode++) {
		size_t size;

		program.regime = &wp_regimes[0];
		program.count = WP_PROGRAM_MAX_OPS;
		for (size_t i = 0; i < program.count; i++) {
			program.ops[i] = (struct wp_op){
				.opcode = opcode,
				.va = {.base = WP_BASE_RAW, .value = UINT64_MAX},
				.pa = {.base = WP_BASE_RAW, .value = UINT64_MAX},
				.length = {.unit = WP_UNITS, .value = UINT64_MAX},
				.flags = 0xff,
				.uses = 0xff,
			};
		}
		size = wp_program_encode(&program, &all, bytes, sizeof bytes);
		assert_true(size <= WP_PROGRAM_MAX_BYTES);
		wp_program_decode(&again, &all, bytes, size);
		assert_true(wp_program_equal(&program, &again));
	}
}

/* An operation, and the same but for all operands in the set. */
static struct wp_op changed(struct wp_op op, unsigned operands)
{
	op.table ^= !!(operands & WP_ARG_TABLE);
	op.va.offset ^= (operands & WP_ARG_VA) ? 1 : 0;
	op.pa.index ^= !!(operands & WP_ARG_PA);
	op.length.count ^= !!(operands & (WP_ARG_LEAF | WP_ARG_LENGTH));
	op.flags ^= !!(operands & WP_ARG_FLAGS);
	op.uses ^= !!(operands & WP_ARG_USES);
	op.source ^= !!(operands & WP_ARG_SOURCE);
	op.allow_huge ^= !!(operands & WP_ARG_HUGE);
	op.once ^= !!(operands & WP_ARG_ONCE);
	op.count ^= !!(operands & (WP_ARG_GRANTS | WP_ARG_LIMIT));
	return op;
}

static void programs_are_equal_if_no_operand_that_counts_differs(void **state)
{
	static struct wp_program a, b;

	(void)state;
	b = a = (struct wp_program){.regime = &wp_regimes[0], .count = 1};
	for (uint8_t opcode = 0; opcode < WP_OPCODES; opcode++) {
		const unsigned operands = wp_opcode_shapes[opcode].operands;

		a.ops[0] = (struct wp_op){.opcode = opcode};
		/* LEAF and LENGTH are one field, as are GRANTS and LIMIT. */
		for (unsigned bit = WP_ARG_TABLE; bit <= WP_ARG_USES; bit <<= 1) {
			b.ops[0] = changed(a.ops[0], bit);
			if (operands & bit)
				assert_false(wp_program_equal(&a, &b));
		}
		if (operands == 0) {
			b.ops[0] = changed(a.ops[0], ~0u);
			assert_true(wp_program_equal(&a, &b));
		}
		b.ops[0] = a.ops[0];
		assert_true(wp_program_equal(&a, &b));
	}
	b.ops[0].opcode ^= 1;
	assert_false(wp_program_equal(&a, &b));
	b = a;
	b.count = 0;
	assert_false(wp_program_equal(&a, &b));
	b = a;
	b.regime = &wp_regimes[1];
	assert_false(wp_program_equal(&a, &b));
}

/* Random bytes are what a fuzzer starts from: most must say something sensible. */
static void rare_meanings_take_few_bytes(void **state)
{
	static struct wp_program program;
	static uint8_t bytes[6000];
	struct wp_random random;
	unsigned ops = 0, raw = 0, unknown = 0, leaves = 0;

	(void)state;
	wp_random_seed(&random, 6);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)wp_random_next(&random);
	wp_program_decode(&program, &all, bytes, sizeof bytes);
	for (size_t i = 0; i < program.count; i++) {
		const struct wp_op *op = &program.ops[i];

		if (!(wp_opcode_shapes[op->opcode].operands & WP_ARG_PA))
			continue;
		ops++;
		raw += op->va.base == WP_BASE_RAW;
		unknown += (op->flags & ~PT_FLAGS_ALL) != 0;
		leaves += op->length.unit < WP_UNIT_BYTE;
	}
	assert_true(ops > 30);
	assert_true(raw < ops / 4);
	assert_true(unknown < ops / 4);
	assert_true(leaves > ops / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_holds_the_regimes_that_a_prefix_names),
		cmocka_unit_test(a_byte_means_the_regime_that_it_meant_in_the_first_corpora),
		cmocka_unit_test(a_byte_means_the_operation_that_it_meant_in_the_first_corpora),
		cmocka_unit_test(every_operation_has_a_byte),
		cmocka_unit_test(every_regime_of_a_scope_has_a_byte),
		cmocka_unit_test(zero_bytes_decode_to_the_simplest_program),
		cmocka_unit_test(nothing_decodes_to_the_empty_program),
		cmocka_unit_test(any_bytes_decode_and_always_to_the_same),
		cmocka_unit_test(bytes_lose_nothing),
		cmocka_unit_test(a_truncated_input_is_a_shorter_program),
		cmocka_unit_test(a_program_ends_at_its_largest_count),
		cmocka_unit_test(encode_stops_at_the_last_operation_that_fits),
		cmocka_unit_test(the_largest_program_fits_in_the_promised_bytes),
		cmocka_unit_test(programs_are_equal_if_no_operand_that_counts_differs),
		cmocka_unit_test(rare_meanings_take_few_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
