/* SPDX-License-Identifier: MIT */
/*
 * make_dictionary TARGET: prints corpus/TARGET.dict, the words that an engine's mutator of
 * bytes puts into a target's inputs: whole operations, or whole recipes.
 */
#include <string.h>

#include "memory_program.h"
#include "operands.h"

static void print_word(const char *name, const char *kind, const uint8_t *bytes, size_t size)
{
	printf("%s%s=\"", name, kind);
	for (size_t i = 0; i < size; i++)
		printf("\\x%02x", bytes[i]);
	printf("\"\n");
}

/* The operation alone, without a program's head. */
static void print_op(const struct wp_op *op, const char *kind)
{
	const struct wp_program program = {wp_regimes, 1, {*op}};
	uint8_t bytes[64];
	struct wp_scope all;
	size_t size;

	wp_scope_of(&all, "");
	size = wp_program_encode(&program, &all, bytes, sizeof bytes);
	print_word(wp_opcode_name((enum wp_opcode)op->opcode), kind, bytes + 2, size - 2);
}

/* Each operation on a fixed address, and on what is live; of pages, and of larger leaves. */
static void print_operations(void)
{
	for (uint8_t opcode = 0; opcode < WP_OPCODES; opcode++) {
		const unsigned operands = wp_opcode_shapes[opcode].operands;
		struct wp_op op = {
			.opcode = opcode,
			.flags = PT_READ | PT_WRITE,
			.uses = PT_ACCESSED | PT_DIRTY,
		};

		op.length = (struct wp_length){WP_UNIT_4K, 1, 0};
		op.count = (operands & WP_ARG_LIMIT) ? WP_NO_LIMIT : 0;
		print_op(&op, "");
		if (operands & WP_ARG_VA) {
			op.va.base = WP_BASE_LIVE;
			print_op(&op, "_live");
		}
		if (operands & (WP_ARG_LEAF | WP_ARG_LENGTH)) {
			op.va.base = WP_BASE_HOT;
			op.length.unit = WP_UNIT_2M;
			op.allow_huge = operands & WP_ARG_HUGE;
			print_op(&op, "_2m");
		}
	}
}

/* Each recipe, for the first frames; what their bytes mean says memory_program.c. */
static void print_recipes(void)
{
	static const char *const names[] = {"pointer", "leaf",         "chain",     "probe",
	                                    "raw",     "wild_pointer", "noisy_leaf"};

	for (uint8_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		uint8_t recipe[WP_MEMORY_RECORD] = {i, 0, 0, 0, 1};

		print_word(names[i], "", recipe, sizeof recipe);
		recipe[5] = 3; /* of a lower level, and with a bit turned */
		recipe[6] = 192;
		print_word(names[i], "_turned", recipe, sizeof recipe);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2 || strncmp(argv[1], "fuzz_", 5) != 0) {
		fprintf(stderr, "usage: make_dictionary fuzz_TARGET\n");
		return 2;
	}
	printf("# SPDX-License-Identifier: MIT\n# Printed by make_dictionary %s.\n", argv[1]);
	if (strcmp(argv[1], "fuzz_memory") == 0)
		print_recipes();
	else
		print_operations();
	return 0;
}
