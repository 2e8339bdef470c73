/* SPDX-License-Identifier: MIT */
/*
 * The binary form. An operation is its opcode byte and then just the operands that
 * the opcode has, so that most mutations hit something that matters. Every byte
 * has a meaning; where some values are rare on purpose (raw addresses, unknown
 * flags), few bytes stand for them, so that mutants mostly do sensible things.
 */
#include "operands.h"

#include <string.h>

/* ------------------------------------------------------------- what bytes mean */

/* A base by the low half of a byte: each under its own number, then the usual ones again. */
static const uint8_t base_of[16] = {
	WP_BASE_HOT,  WP_BASE_LIVE, WP_BASE_LIVE_END, WP_BASE_EDGE,
	WP_BASE_RAW,  WP_BASE_HOT,  WP_BASE_LIVE,     WP_BASE_LIVE_END,
	WP_BASE_HOT,  WP_BASE_LIVE, WP_BASE_LIVE_END, WP_BASE_HOT,
	WP_BASE_LIVE, WP_BASE_HOT,  WP_BASE_LIVE,     WP_BASE_HOT,
};

/* An offset's unit by the high half of the same byte. */
static const uint8_t unit_of[16] = {
	WP_UNIT_4K, WP_UNIT_2M, WP_UNIT_1G, WP_UNIT_512G, WP_UNIT_256T, WP_UNIT_BYTE,
	WP_UNIT_4K, WP_UNIT_2M, WP_UNIT_1G, WP_UNIT_4K,   WP_UNIT_2M,   WP_UNIT_4K,
	WP_UNIT_1G, WP_UNIT_4K, WP_UNIT_2M, WP_UNIT_4K,
};

/* A leaf's unit by a byte modulo 16; LEAF_ODD: any other length follows. */
#define LEAF_ODD 5
static const uint8_t leaf_of[16] = {
	WP_UNIT_4K, WP_UNIT_2M, WP_UNIT_1G, WP_UNIT_512G, WP_UNIT_256T, LEAF_ODD,
	WP_UNIT_4K, WP_UNIT_2M, WP_UNIT_1G, WP_UNIT_4K,   WP_UNIT_2M,   WP_UNIT_4K,
	WP_UNIT_2M, WP_UNIT_4K, WP_UNIT_4K, WP_UNIT_4K,
};

/* Counts up to 255 take one byte; this one says that two more hold the count. */
#define COUNT_LONG 0xffu

/* From this byte on, a byte of flags as they are follows: it may hold unknown bits. */
#define FLAGS_ODD   0xf0u
#define FLAGS_KNOWN 0x3fu

/* Uses by a byte modulo 4; the same goes for no uses, and for unknown ones. */
static const uint8_t uses_of[4] = {PT_ACCESSED | PT_DIRTY, PT_ACCESSED, PT_DIRTY,
                                   PT_ACCESSED | PT_DIRTY};
#define USES_ODD 0xf0u

/* --------------------------------------------------------------------- decoding */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool cut; /* asked for more than there is */
};

static uint8_t take(struct reader *in)
{
	if (in->at == in->end) {
		in->cut = true;
		return 0;
	}
	return *in->at++;
}

/* `bytes` bytes, little-endian. */
static uint64_t take_wide(struct reader *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)take(in) << (8 * i);
	return value;
}

static void take_address(struct reader *in, struct wp_address *address)
{
	const uint8_t kind = take(in);

	address->base = base_of[kind & 15];
	if (address->base == WP_BASE_RAW) {
		address->value = take_wide(in, 8);
		return;
	}
	address->index = take(in);
	address->offset = (int8_t)take(in);
	/* One way to say "no offset", so that equal programs are equal bytes. */
	if (address->offset != 0)
		address->unit = unit_of[kind >> 4];
}

static void take_length(struct reader *in, struct wp_length *length)
{
	const uint8_t unit = take(in) & 7;
	uint8_t count;

	length->unit = unit <= WP_UNITS ? unit : WP_UNIT_4K;
	if (length->unit == WP_UNITS) {
		length->value = take_wide(in, 8);
		return;
	}
	count = take(in);
	length->count = count == COUNT_LONG ? (uint16_t)take_wide(in, 2) : (uint16_t)(count + 1);
}

static void take_leaf(struct reader *in, struct wp_length *length)
{
	const uint8_t unit = leaf_of[take(in) & 15];

	if (unit == LEAF_ODD) {
		take_length(in, length);
		return;
	}
	length->unit = unit;
	length->count = 1;
}

static uint8_t take_flags(struct reader *in)
{
	const uint8_t flags = take(in);

	return flags >= FLAGS_ODD ? take(in) : flags & FLAGS_KNOWN;
}

static uint8_t take_uses(struct reader *in)
{
	const uint8_t uses = take(in);

	return uses >= USES_ODD ? take(in) : uses_of[uses & 3];
}

/* False: cut off. */
static bool take_op(struct reader *in, struct wp_op *op)
{
	unsigned operands;

	memset(op, 0, sizeof *op);
	op->opcode = (uint8_t)wp_byte_opcode(take(in));
	operands = wp_opcode_shapes[op->opcode].operands;
	if (operands & WP_ARG_TABLE)
		op->table = take(in) % WP_MODEL_TABLES;
	if (operands & WP_ARG_VA)
		take_address(in, &op->va);
	if (operands & WP_ARG_PA)
		take_address(in, &op->pa);
	if (operands & WP_ARG_LEAF)
		take_leaf(in, &op->length);
	if (operands & WP_ARG_LENGTH)
		take_length(in, &op->length);
	if (operands & WP_ARG_FLAGS)
		op->flags = take_flags(in);
	if (operands & WP_ARG_USES)
		op->uses = take_uses(in);
	if (operands & WP_ARG_SOURCE)
		op->source = take(in) % WP_SOURCES;
	if (operands & WP_ARG_HUGE)
		op->allow_huge = take(in) & 1;
	if (operands & WP_ARG_GRANTS)
		op->count = (uint16_t)take_wide(in, 2);
	if (operands & WP_ARG_ONCE)
		op->once = take(in) & 1;
	if (operands & WP_ARG_LIMIT)
		op->count = (uint16_t)~take_wide(in, 2); /* zero bytes: no limit */
	return !in->cut;
}

void wp_program_decode(struct wp_program *program, const struct wp_scope *scope,
                       const uint8_t *bytes, size_t size)
{
	struct reader in = {bytes, bytes + size, false};

	take(&in); /* the version: there is only one so far */
	program->regime = wp_scope_regime(scope, take(&in));
	program->count = 0;
	while (program->count < WP_PROGRAM_MAX_OPS && in.at < in.end &&
	       take_op(&in, &program->ops[program->count]))
		program->count++;
}

/* --------------------------------------------------------------------- encoding */

struct writer {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	bool full; /* was given more than fits */
};

static void put(struct writer *out, unsigned byte)
{
	if (out->size == out->capacity) {
		out->full = true;
		return;
	}
	out->bytes[out->size++] = (uint8_t)byte;
}

static void put_wide(struct writer *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		put(out, (uint8_t)(value >> (8 * i)));
}

static void put_address(struct writer *out, const struct wp_address *address)
{
	if (address->base == WP_BASE_RAW) {
		put(out, WP_BASE_RAW);
		put_wide(out, address->value, 8);
		return;
	}
	put(out, address->base | (address->offset != 0 ? (unsigned)address->unit << 4 : 0));
	put(out, address->index);
	put(out, (uint8_t)address->offset);
}

static void put_length(struct writer *out, const struct wp_length *length)
{
	put(out, length->unit);
	if (length->unit == WP_UNITS) {
		put_wide(out, length->value, 8);
	} else if (length->count >= 1 && length->count <= COUNT_LONG) {
		put(out, length->count - 1u);
	} else {
		put(out, COUNT_LONG);
		put_wide(out, length->count, 2);
	}
}

static void put_leaf(struct writer *out, const struct wp_length *length)
{
	if (length->unit < LEAF_ODD && length->count == 1) {
		put(out, length->unit);
		return;
	}
	put(out, LEAF_ODD);
	put_length(out, length);
}

static void put_flags(struct writer *out, uint8_t flags)
{
	if (flags & ~FLAGS_KNOWN)
		put(out, FLAGS_ODD);
	put(out, flags);
}

static void put_uses(struct writer *out, uint8_t uses)
{
	for (unsigned byte = 0; byte < 3; byte++) {
		if (uses_of[byte] == uses) {
			put(out, byte);
			return;
		}
	}
	put(out, USES_ODD);
	put(out, uses);
}

static void put_op(struct writer *out, const struct wp_op *op)
{
	const unsigned operands = wp_opcode_shapes[op->opcode].operands;

	put(out, wp_opcode_byte((enum wp_opcode)op->opcode));
	if (operands & WP_ARG_TABLE)
		put(out, op->table);
	if (operands & WP_ARG_VA)
		put_address(out, &op->va);
	if (operands & WP_ARG_PA)
		put_address(out, &op->pa);
	if (operands & WP_ARG_LEAF)
		put_leaf(out, &op->length);
	if (operands & WP_ARG_LENGTH)
		put_length(out, &op->length);
	if (operands & WP_ARG_FLAGS)
		put_flags(out, op->flags);
	if (operands & WP_ARG_USES)
		put_uses(out, op->uses);
	if (operands & WP_ARG_SOURCE)
		put(out, op->source);
	if (operands & WP_ARG_HUGE)
		put(out, op->allow_huge);
	if (operands & WP_ARG_GRANTS)
		put_wide(out, op->count, 2);
	if (operands & WP_ARG_ONCE)
		put(out, op->once);
	if (operands & WP_ARG_LIMIT)
		put_wide(out, (uint16_t)~op->count, 2);
}

size_t wp_program_encode(const struct wp_program *program, const struct wp_scope *scope,
                         uint8_t *bytes, size_t capacity)
{
	struct writer out = {bytes, 0, capacity, false};

	put(&out, WP_PROGRAM_VERSION);
	put(&out, wp_scope_byte(scope, program->regime));
	for (size_t i = 0; i < program->count; i++) {
		const size_t whole = out.size;

		put_op(&out, &program->ops[i]);
		if (out.full)
			return whole;
	}
	return out.size;
}
