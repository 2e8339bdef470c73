/* SPDX-License-Identifier: MIT */
/*
 * What each opcode has; when two programs are one, and a number for each; and operations in
 * their one form.
 */
#include "operands.h"

#include <string.h>

#define T WP_ARG_TABLE
#define V WP_ARG_VA
#define P WP_ARG_PA

const struct wp_opcode_shape wp_opcode_shapes[WP_OPCODES] = {
	[WP_OP_MAP] = {"map", T | V | P | WP_ARG_LEAF | WP_ARG_FLAGS},
	[WP_OP_UNMAP] = {"unmap", T | V},
	[WP_OP_PROTECT] = {"protect", T | V | WP_ARG_FLAGS},
	[WP_OP_REMAP] = {"remap", T | V | P | WP_ARG_FLAGS},
	[WP_OP_QUERY] = {"query", T | V},
	[WP_OP_MAP_REGION] = {"map_region", T | V | P | WP_ARG_LENGTH | WP_ARG_FLAGS | WP_ARG_HUGE},
	[WP_OP_MAP_REGION_WITH] = {"map_region_with", T | V | P | WP_ARG_LENGTH | WP_ARG_FLAGS |
                                                              WP_ARG_SOURCE | WP_ARG_HUGE},
	[WP_OP_UNMAP_REGION] = {"unmap_region", T | V | WP_ARG_LENGTH},
	[WP_OP_PROTECT_REGION] = {"protect_region", T | V | WP_ARG_LENGTH | WP_ARG_FLAGS},
	[WP_OP_HARVEST] = {"harvest", T | V | WP_ARG_LENGTH | WP_ARG_USES},
	[WP_OP_WALK] = {"walk", T | WP_ARG_LIMIT},
	[WP_OP_COPY_FROM] = {"copy_from", T | V | WP_ARG_LENGTH},
	[WP_OP_GIVE_BACK] = {"give_back", T | V | WP_ARG_LENGTH},
	[WP_OP_BATCH] = {"batch", T},
	[WP_OP_FLUSH] = {"flush", T},
	[WP_OP_FLUSH_ALL] = {"flush_all", T},
	[WP_OP_IGNORE] = {"ignore", T},
	[WP_OP_REFUSE] = {"refuse", WP_ARG_GRANTS | WP_ARG_ONCE},
	[WP_OP_ALLOW] = {"allow", 0},
	[WP_OP_RENEW] = {"renew", T},
	[WP_OP_PROBE] = {"probe", 0},
};

#undef T
#undef V
#undef P

const char *wp_opcode_name(enum wp_opcode opcode)
{
	return wp_opcode_shapes[opcode].name;
}

/* By the byte, modulo their number; and by the byte less LATER_OPCODES. */
static const uint8_t first_opcodes[] = {
	WP_OP_MAP,
	WP_OP_UNMAP,
	WP_OP_PROTECT,
	WP_OP_REMAP,
	WP_OP_QUERY,
	WP_OP_MAP_REGION,
	WP_OP_MAP_REGION_WITH,
	WP_OP_UNMAP_REGION,
	WP_OP_PROTECT_REGION,
	WP_OP_WALK,
	WP_OP_COPY_FROM,
	WP_OP_GIVE_BACK,
	WP_OP_BATCH,
	WP_OP_FLUSH,
	WP_OP_FLUSH_ALL,
	WP_OP_IGNORE,
	WP_OP_REFUSE,
	WP_OP_ALLOW,
	WP_OP_RENEW,
	WP_OP_PROBE,
};
static const uint8_t later_opcodes[] = {WP_OP_HARVEST};
_Static_assert(sizeof first_opcodes + sizeof later_opcodes == WP_OPCODES, "a byte for each");
/* No input of the corpora has one of the eleven bytes from here on. */
#define LATER_OPCODES 144u

enum wp_opcode wp_byte_opcode(uint8_t byte)
{
	if (byte >= LATER_OPCODES && byte - LATER_OPCODES < sizeof later_opcodes)
		return (enum wp_opcode)later_opcodes[byte - LATER_OPCODES];
	return (enum wp_opcode)first_opcodes[byte % sizeof first_opcodes];
}

uint8_t wp_opcode_byte(enum wp_opcode opcode)
{
	uint8_t byte = 0;

	while (wp_byte_opcode(byte) != opcode)
		byte = byte + 1u == sizeof first_opcodes ? LATER_OPCODES : (uint8_t)(byte + 1);
	return byte;
}

void wp_scope_of(struct wp_scope *scope, const char *prefix)
{
	const size_t length = strlen(prefix);

	scope->count = 0;
	for (size_t i = 0; i < wp_regime_count; i++) {
		const char *name = wp_regimes[i].name;

		if (length > 0 && (strncmp(name, prefix, length) != 0 ||
		                   (name[length] != '\0' && name[length] != '_')))
			continue;
		scope->regimes[scope->count++] = &wp_regimes[i];
	}
}

/* The regimes of the first corpora are the first of all; a byte stands for one of them, modulo. */
#define FIRST_REGIMES 16
#define LATER_REGIMES 128u

static size_t first_regimes(const struct wp_scope *scope)
{
	size_t count = 0;

	while (count < scope->count && scope->regimes[count] - wp_regimes < FIRST_REGIMES)
		count++;
	return count > 0 ? count : scope->count;
}

const struct wp_regime *wp_scope_regime(const struct wp_scope *scope, uint8_t byte)
{
	const size_t first = first_regimes(scope);

	if (scope->count == 0)
		return wp_regimes;
	if (byte >= LATER_REGIMES && byte - LATER_REGIMES < scope->count - first)
		return scope->regimes[first + (byte - LATER_REGIMES)];
	return scope->regimes[byte % first];
}

uint8_t wp_scope_byte(const struct wp_scope *scope, const struct wp_regime *regime)
{
	const size_t first = first_regimes(scope);

	for (size_t i = 0; i < scope->count; i++) {
		if (scope->regimes[i] == regime)
			return (uint8_t)(i < first ? i : LATER_REGIMES + (i - first));
	}
	return 0;
}

static bool address_equal(const struct wp_address *a, const struct wp_address *b)
{
	if (a->base != b->base)
		return false;
	if (a->base == WP_BASE_RAW)
		return a->value == b->value;
	return a->index == b->index && a->offset == b->offset &&
	       (a->offset == 0 || a->unit == b->unit);
}

static bool length_equal(const struct wp_length *a, const struct wp_length *b)
{
	if (a->unit != b->unit)
		return false;
	return a->unit == WP_UNITS ? a->value == b->value : a->count == b->count;
}

/* Operands that the opcode doesn't have, don't count. */
static bool op_equal(const struct wp_op *a, const struct wp_op *b)
{
	const unsigned operands = wp_opcode_shapes[a->opcode].operands;

	if (a->opcode != b->opcode)
		return false;
	if ((operands & WP_ARG_TABLE) && a->table != b->table)
		return false;
	if ((operands & WP_ARG_VA) && !address_equal(&a->va, &b->va))
		return false;
	if ((operands & WP_ARG_PA) && !address_equal(&a->pa, &b->pa))
		return false;
	if ((operands & (WP_ARG_LEAF | WP_ARG_LENGTH)) && !length_equal(&a->length, &b->length))
		return false;
	if ((operands & WP_ARG_FLAGS) && a->flags != b->flags)
		return false;
	if ((operands & WP_ARG_USES) && a->uses != b->uses)
		return false;
	if ((operands & WP_ARG_SOURCE) && a->source != b->source)
		return false;
	if ((operands & WP_ARG_HUGE) && a->allow_huge != b->allow_huge)
		return false;
	if ((operands & WP_ARG_ONCE) && a->once != b->once)
		return false;
	return !(operands & (WP_ARG_GRANTS | WP_ARG_LIMIT)) || a->count == b->count;
}

bool wp_program_equal(const struct wp_program *a, const struct wp_program *b)
{
	if (a->regime != b->regime || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!op_equal(&a->ops[i], &b->ops[i]))
			return false;
	}
	return true;
}

uint64_t wp_program_hash(const struct wp_program *program)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)(program->regime - wp_regimes);

	for (size_t i = 0; i < program->count; i++) {
		const struct wp_op *op = &program->ops[i];
		const uint64_t parts[] = {op->opcode,
		                          op->va.base,
		                          op->va.index,
		                          op->va.value,
		                          op->pa.value,
		                          op->length.count,
		                          op->flags ^ (uint64_t)op->uses << 8};

		for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
			hash = (hash ^ parts[k]) * 0x100000001b3u;
	}
	return hash ^ hash >> 29;
}

static void settle_address(struct wp_address *address, bool has)
{
	if (!has)
		*address = (struct wp_address){0};
	else if (address->base == WP_BASE_RAW)
		*address = (struct wp_address){.base = WP_BASE_RAW, .value = address->value};
	else
		address->value = 0;
	if (address->offset == 0)
		address->unit = 0;
}

void wp_op_settle(struct wp_op *op)
{
	const unsigned operands = wp_opcode_shapes[op->opcode].operands;

	settle_address(&op->va, operands & WP_ARG_VA);
	settle_address(&op->pa, operands & WP_ARG_PA);
	op->table = (operands & WP_ARG_TABLE) ? op->table : 0;
	if (!(operands & (WP_ARG_LEAF | WP_ARG_LENGTH)))
		op->length = (struct wp_length){0};
	else if (op->length.unit == WP_UNITS)
		op->length.count = 0;
	else
		op->length.value = 0;
	op->flags = (operands & WP_ARG_FLAGS) ? op->flags : 0;
	op->uses = (operands & WP_ARG_USES) ? op->uses : 0;
	op->source = (operands & WP_ARG_SOURCE) ? op->source : 0;
	op->allow_huge = (operands & WP_ARG_HUGE) && op->allow_huge;
	op->once = (operands & WP_ARG_ONCE) && op->once;
	op->count = (operands & (WP_ARG_GRANTS | WP_ARG_LIMIT)) ? op->count : 0;
}
