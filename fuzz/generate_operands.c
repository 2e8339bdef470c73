/* SPDX-License-Identifier: MIT */
/* The generator's operands: see generate.c. */
#include "swarm.h"

/* The nearest that the subject is asked for. */
static uint8_t without_unasked(const struct wp_swarm *swarm, uint8_t flags)
{
	if (wp_leaves_out(swarm, WP_NO_MEMORY_TYPES))
		flags &= (uint8_t)~(PT_DEVICE | PT_UNCACHED);
	if (wp_leaves_out(swarm, WP_NO_NO_ACCESS) &&
	    (flags & (PT_READ | PT_WRITE | PT_EXECUTE)) == 0)
		flags |= PT_READ;
	return flags;
}

uint8_t wp_draw_expressible(const struct wp_swarm *swarm)
{
	uint8_t flags = (uint8_t)wp_below(swarm->random, 64);

	for (unsigned tries = 0; tries < 16 && !wp_flags_expressible(swarm->regime, flags); tries++)
		flags = (uint8_t)wp_below(swarm->random, 64);
	return without_unasked(swarm, flags);
}

static uint8_t draw_flags(const struct wp_swarm *swarm)
{
	if (wp_chance(swarm->random, swarm->rude_flags))
		return (uint8_t)wp_below(swarm->random, 256);
	if (wp_chance(swarm->random, swarm->plain_flags))
		return swarm->favourite_flags;
	return wp_draw_expressible(swarm);
}

/* One of the regime's leaf sizes, as this program likes them. */
static uint8_t draw_leaf(const struct wp_swarm *swarm)
{
	unsigned at = wp_below(swarm->random, swarm->leaf_total);
	uint8_t unit = 0;

	while (at >= swarm->leaves[unit])
		at -= swarm->leaves[unit++];
	return unit;
}

static void draw_offset(const struct wp_swarm *swarm, struct wp_address *address, unsigned unit)
{
	const unsigned offset = wp_below(swarm->random, 2) ? wp_below(swarm->random, swarm->spread)
	                                                   : wp_small(swarm->random, swarm->spread);

	address->offset = (int8_t)offset;
	if (wp_chance(swarm->random, 12))
		address->offset = (int8_t)-address->offset;
	address->unit = address->offset != 0 ? (uint8_t)unit : 0;
}

/* Of a unit, or now and then of one of the larger ones. */
static unsigned draw_stride(const struct wp_swarm *swarm, unsigned unit)
{
	const unsigned top = wp_root_unit(swarm->regime);

	while (unit < top && wp_chance(swarm->random, 32))
		unit++;
	return unit;
}

/*
 * A hot address that is a multiple of the unit, one that the program favours or
 * else any; moved, unless that leaves what is canonical.
 */
static void draw_hot(const struct wp_swarm *swarm, struct wp_address *address, unsigned unit,
                     bool physical)
{
	const uint8_t *pool = physical ? swarm->pas : swarm->vas;
	uint64_t (*const hot)(const struct wp_regime *, unsigned) = physical ? wp_hot_pa
	                                                                     : wp_hot_va;
	uint8_t index = pool[wp_small(swarm->random, WP_POOL - 1)];
	uint64_t at;

	for (unsigned tries = 0; tries < 8; tries++) {
		if (hot(swarm->regime, index) % wp_unit_bytes(swarm->regime, unit) == 0)
			break;
		index = (uint8_t)wp_below(swarm->random, WP_SPOTS);
	}
	address->base = WP_BASE_HOT;
	address->index = index;
	draw_offset(swarm, address, draw_stride(swarm, unit));
	at = hot(swarm->regime, index) +
	     (uint64_t)(int64_t)address->offset * wp_unit_bytes(swarm->regime, address->unit);
	if (physical ? at >> swarm->regime->pa_bits : !wp_regime_canonical(swarm->regime, at)) {
		address->offset = 0;
		address->unit = 0;
	}
}

/* Wrong, or close to it: an edge, any bits at all, or a few bytes off. */
static void draw_rude_address(const struct wp_swarm *swarm, struct wp_address *address)
{
	switch (wp_below(swarm->random, 4)) {
	case 0:
		address->base = WP_BASE_RAW;
		address->value = wp_random_next(swarm->random) >> wp_below(swarm->random, 32);
		break;
	case 1:
		address->base = WP_BASE_HOT;
		address->index = (uint8_t)wp_below(swarm->random, WP_SPOTS);
		draw_offset(swarm, address, WP_UNIT_BYTE);
		break;
	default:
		address->base = WP_BASE_EDGE;
		address->index = (uint8_t)wp_below(swarm->random, WP_SPOTS);
		if (wp_chance(swarm->random, 64))
			draw_offset(swarm, address, WP_UNIT_4K);
	}
}

/* Where something new goes: va and pa, both multiples of the unit if it can be had. */
static void draw_new_place(const struct wp_swarm *swarm, struct wp_op *op, unsigned unit)
{
	if (wp_chance(swarm->random, swarm->rude_addresses)) {
		draw_rude_address(swarm, &op->va);
	} else if (wp_chance(swarm->random, swarm->growing >> (2 * unit))) {
		/* The larger the leaf, the less likely that a run ends on a multiple of it. */
		op->va.base = WP_BASE_LIVE_END;
		op->va.index = (uint8_t)wp_small(swarm->random, 15);
	} else {
		draw_hot(swarm, &op->va, unit, false);
	}
	if (wp_chance(swarm->random, swarm->rude_addresses)) {
		draw_rude_address(swarm, &op->pa);
	} else if (op->va.base == WP_BASE_LIVE_END && wp_chance(swarm->random, 160)) {
		op->pa = op->va; /* linear: the runs become one */
	} else if (wp_chance(swarm->random, 16)) {
		op->pa.base = WP_BASE_LIVE;
		op->pa.index = (uint8_t)wp_small(swarm->random, 15);
	} else {
		draw_hot(swarm, &op->pa, unit, true);
	}
}

/* Where something is, most likely. `inside`: perhaps further into the run. */
static void draw_live_place(const struct wp_swarm *swarm, struct wp_op *op, bool inside)
{
	if (wp_chance(swarm->random, swarm->rude_addresses)) {
		draw_rude_address(swarm, &op->va);
		return;
	}
	if (wp_chance(swarm->random, 10)) {
		draw_hot(swarm, &op->va, draw_leaf(swarm), false);
		return;
	}
	op->va.base = WP_BASE_LIVE;
	op->va.index = (uint8_t)(wp_chance(swarm->random, 128) ? wp_small(swarm->random, 15)
	                                                       : wp_below(swarm->random, 256));
	if (inside && wp_chance(swarm->random, 64))
		draw_offset(swarm, &op->va, draw_leaf(swarm));
}

static void draw_rude_length(const struct wp_swarm *swarm, struct wp_length *length)
{
	static const struct wp_length rude[] = {
		{WP_UNIT_4K, 0, 0},        {WP_UNIT_4K, 3, 0},        {WP_UNIT_BYTE, 5, 0},
		{WP_UNIT_256T, 1, 0},      {WP_UNIT_512G, 1, 0},      {WP_UNIT_256T, 0xffff, 0},
		{WP_UNITS, 0, 1ull << 63}, {WP_UNITS, 0, UINT64_MAX}, {WP_UNITS, 0, 1ull << 13},
		{WP_UNITS, 0, 0 - PT_4K},  {WP_UNIT_1G, 512, 0},      {WP_UNIT_BYTE, 4097, 0},
	};

	*length = rude[wp_below(swarm->random, sizeof rude / sizeof rude[0])];
}

/*
 * How many units a region has: mostly few; sometimes about as many as a table has
 * entries, which is where the interesting ends are.
 */
static uint16_t draw_count(const struct wp_swarm *swarm)
{
	if (wp_chance(swarm->random, swarm->tables)) {
		if (wp_chance(swarm->random, 128))
			return (uint16_t)(510 + wp_below(swarm->random, 5));
		return (uint16_t)(1 + wp_below(swarm->random, 1600));
	}
	if (wp_chance(swarm->random, 144))
		return (uint16_t)(1 + wp_small(swarm->random, 15));
	return (uint16_t)(1 + wp_below(swarm->random, 40));
}

static void draw_region_length(const struct wp_swarm *swarm, struct wp_length *length,
                               unsigned unit)
{
	if (wp_chance(swarm->random, swarm->rude_lengths)) {
		draw_rude_length(swarm, length);
		return;
	}
	length->unit = (uint8_t)unit;
	length->count = unit == WP_UNIT_4K ? draw_count(swarm)
	                                   : (uint16_t)(1 + wp_small(swarm->random, 7));
}

/* Whole root slots, mostly. */
static void draw_root_slots(const struct wp_swarm *swarm, struct wp_op *op)
{
	const unsigned unit = wp_root_unit(swarm->regime);

	if (wp_chance(swarm->random, swarm->rude_addresses))
		draw_rude_address(swarm, &op->va);
	else
		draw_hot(swarm, &op->va, unit, false);
	/* Not far: the slots are where the hot addresses are. */
	if (op->va.base == WP_BASE_HOT && wp_chance(swarm->random, 160)) {
		op->va.offset = 0;
		op->va.unit = 0;
	}
	if (wp_chance(swarm->random, swarm->rude_lengths)) {
		draw_rude_length(swarm, &op->length);
		return;
	}
	op->length.unit = (uint8_t)unit;
	op->length.count = (uint16_t)(1 + wp_small(swarm->random, 6));
}

/* ------------------------------------------------------------------- operations */

static void draw_map(const struct wp_swarm *swarm, struct wp_op *op)
{
	const uint8_t unit = draw_leaf(swarm);

	draw_new_place(swarm, op, unit);
	op->length.unit = unit;
	op->length.count = 1;
	if (wp_chance(swarm->random, swarm->rude_lengths))
		draw_rude_length(swarm, &op->length);
}

static void draw_change(const struct wp_swarm *swarm, struct wp_op *op)
{
	draw_live_place(swarm, op, false);
}

static void draw_query(const struct wp_swarm *swarm, struct wp_op *op)
{
	draw_live_place(swarm, op, true);
}

/* The leaf's size isn't known: a new address that suits any of the program's. */
static void draw_remap(const struct wp_swarm *swarm, struct wp_op *op)
{
	unsigned unit = WP_UNIT_4K;

	for (unsigned i = 0; i < WP_UNIT_BYTE; i++) {
		if (swarm->leaves[i] > 0)
			unit = i;
	}
	draw_live_place(swarm, op, false);
	if (wp_chance(swarm->random, swarm->rude_addresses))
		draw_rude_address(swarm, &op->pa);
	else
		draw_hot(swarm, &op->pa, wp_chance(swarm->random, 200) ? unit : draw_leaf(swarm),
		         true);
}

/* Regions of larger leaves are left out for the subject. */
static bool wants_pages(const struct wp_swarm *swarm, const struct wp_op *op)
{
	return wp_leaves_out(swarm, WP_REGIONS_OF_4K) ||
	       (op->opcode == WP_OP_MAP_REGION_WITH && wp_leaves_out(swarm, WP_ASSUMES_LINEAR));
}

/*
 * Most regions are pages. Where larger leaves are allowed, va and pa are often the
 * same number of pages off from a large multiple, so that large leaves come up in
 * the middle of the region.
 */
static void draw_map_region(const struct wp_swarm *swarm, struct wp_op *op)
{
	const unsigned unit = wp_chance(swarm->random, 160) ? WP_UNIT_4K : draw_leaf(swarm);

	op->allow_huge = wp_chance(swarm->random, swarm->huge) && !wants_pages(swarm, op);
	if (op->opcode == WP_OP_MAP_REGION_WITH && wp_chance(swarm->random, 144))
		op->source = (uint8_t)wp_below(swarm->random, WP_SOURCES);
	draw_new_place(swarm, op, op->allow_huge && unit == WP_UNIT_4K ? WP_UNIT_2M : unit);
	if (op->va.base == WP_BASE_HOT && op->pa.base == WP_BASE_HOT) {
		draw_offset(swarm, &op->va, unit);
		op->pa.offset = op->va.offset;
		op->pa.unit = op->va.unit;
	}
	draw_region_length(swarm, &op->length, unit);
}

/* Pages mostly: they cut larger leaves. */
static void draw_change_region(const struct wp_swarm *swarm, struct wp_op *op)
{
	const unsigned unit = wp_chance(swarm->random, 192) ? WP_UNIT_4K : draw_leaf(swarm);

	draw_live_place(swarm, op, op->opcode == WP_OP_PROTECT_REGION);
	draw_region_length(swarm, &op->length, unit);
	/* A run of single leaves is short, and all of a region must be mapped. */
	if (op->length.unit == unit && op->opcode == WP_OP_UNMAP_REGION &&
	    wp_chance(swarm->random, 160))
		op->length.count = 1;
}

static uint8_t draw_uses(const struct wp_swarm *swarm)
{
	if (wp_chance(swarm->random, swarm->rude_flags))
		return (uint8_t)(4 * wp_below(swarm->random, 64));
	return (uint8_t)(1 + wp_below(swarm->random, 3));
}

/* All of a leaf that an end of it cuts is harvested, and holes are skipped: so any will do. */
static void draw_harvest(const struct wp_swarm *swarm, struct wp_op *op)
{
	const unsigned unit = wp_chance(swarm->random, 128) ? WP_UNIT_4K : draw_leaf(swarm);

	op->uses = draw_uses(swarm);
	draw_live_place(swarm, op, true);
	draw_region_length(swarm, &op->length, unit);
}

static void draw_limit(const struct wp_swarm *swarm, struct wp_op *op)
{
	op->count = wp_chance(swarm->random, 128) ? (uint16_t)wp_small(swarm->random, 15)
	                                          : WP_NO_LIMIT;
}

/* Soon, for most calls need few frames; mostly once, for else nothing works any more. */
static void draw_refusal(const struct wp_swarm *swarm, struct wp_op *op)
{
	op->count = (uint16_t)(wp_chance(swarm->random, 240) ? wp_small(swarm->random, 8)
	                                                     : wp_below(swarm->random, 64));
	op->once = wp_chance(swarm->random, 208);
}

static void (*const draw_call[WP_OPCODES])(const struct wp_swarm *swarm, struct wp_op *op) = {
	[WP_OP_MAP] = draw_map,
	[WP_OP_UNMAP] = draw_change,
	[WP_OP_PROTECT] = draw_change,
	[WP_OP_REMAP] = draw_remap,
	[WP_OP_QUERY] = draw_query,
	[WP_OP_MAP_REGION] = draw_map_region,
	[WP_OP_MAP_REGION_WITH] = draw_map_region,
	[WP_OP_UNMAP_REGION] = draw_change_region,
	[WP_OP_PROTECT_REGION] = draw_change_region,
	[WP_OP_HARVEST] = draw_harvest,
	[WP_OP_WALK] = draw_limit,
	[WP_OP_COPY_FROM] = draw_root_slots,
	[WP_OP_GIVE_BACK] = draw_root_slots,
	[WP_OP_REFUSE] = draw_refusal,
};

void wp_draw_operands(const struct wp_swarm *swarm, struct wp_op *op)
{
	const unsigned operands = wp_opcode_shapes[op->opcode].operands;

	if (operands & WP_ARG_TABLE)
		op->table = wp_chance(swarm->random, swarm->other_table);
	if (operands & WP_ARG_FLAGS)
		op->flags = draw_flags(swarm);
	if (draw_call[op->opcode] != NULL)
		draw_call[op->opcode](swarm, op);
}
