/* SPDX-License-Identifier: MIT */
/* Which addresses a finding is about: a sentence names them among other numbers. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "operands.h"

static uint64_t bytes_of(const struct wp_regime *regime, const struct wp_op *op)
{
	return op->length.unit == WP_UNITS
	               ? op->length.value
	               : op->length.count * wp_unit_bytes(regime, op->length.unit);
}

static bool has_address(const struct wp_op *op)
{
	return (wp_opcode_shapes[op->opcode].operands & WP_ARG_VA) != 0;
}

/* Whether an operation is about it, or about what is beside it. */
static bool is_concerned(const struct wp_program *program, uint64_t va)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct wp_op *op = &program->ops[i];

		if (has_address(op) && va - (op->va.value - 1) <= bytes_of(program->regime, op) + 1)
			return true;
	}
	return false;
}

struct addresses {
	const struct wp_regime *regime;
	uint64_t *va;
	size_t count, most;
};

static void add(struct addresses *addresses, uint64_t va)
{
	for (size_t i = 0; i < addresses->count; i++) {
		if (addresses->va[i] == va)
			return;
	}
	if (addresses->count < addresses->most && wp_regime_canonical(addresses->regime, va))
		addresses->va[addresses->count++] = va;
}

size_t wp_report_addresses(const struct wp_report *report, uint64_t *va, size_t most)
{
	const struct wp_program *program = &report->program;
	struct addresses addresses = {program->regime, va, 0, most};

	for (const char *at = report->sentence; (at = strstr(at, "0x")) != NULL; at++) {
		const uint64_t number = strtoull(at, NULL, 16);

		if (is_concerned(program, number))
			add(&addresses, number);
	}
	for (size_t i = program->count; i-- > 0 && addresses.count < 2;) {
		const struct wp_op *op = &program->ops[i];

		if (!has_address(op) || i > report->op)
			continue;
		add(&addresses, op->va.value);
		add(&addresses, op->va.value + bytes_of(program->regime, op));
	}
	return addresses.count;
}
