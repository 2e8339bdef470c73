/* SPDX-License-Identifier: MIT */
/*
 * From an operation to a call: bases become addresses, counts become bytes.
 *
 * Nothing is put right on the way: an address that isn't aligned stays so. For
 * aligned calls to be the rule all the same, most hot addresses are multiples of
 * large leaves, and an offset counts in units of the caller's choice.
 */
#include "operands.h"

/* ------------------------------------------------------------- virtual addresses */

enum spot_from {
	FROM_FIRST,     /* start of the first canonical range */
	FROM_FIRST_END, /* one past its last byte */
	FROM_LAST,      /* the same of the last range, which may be the only one */
	FROM_LAST_END,
	FROM_ZERO,
};

/*
 * A place in any regime's address space: so many root slots, slots of the next
 * level, and bytes from one of its landmarks.
 */
struct spot {
	enum spot_from from;
	int8_t roots;
	int8_t seconds;
	int64_t bytes;
};

#define KIB(n) ((int64_t)(n) * 1024)
#define MIB(n) (KIB(n) * 1024)
#define GIB(n) (MIB(n) * 1024)

/* Zero is the plainest. Those up to 7 are multiples of every leaf, or of most. */
static const struct spot hot_vas[WP_SPOTS] = {
	{FROM_FIRST, 1, 0, 0},     /* the second root slot... */
	{FROM_FIRST, 1, 1, 0},     /* ...its second slot... */
	{FROM_FIRST, 2, 0, 0},     /* ...and the next root slot */
	{FROM_LAST_END, -1, 0, 0}, /* the last root slot */
	{FROM_LAST, 0, 0, 0},
	{FROM_FIRST_END, -2, 0, 0},
	{FROM_FIRST, 1, 1, GIB(1)},
	{FROM_FIRST, 0, 0, 0}, /* the first root slot: the null page */
	{FROM_FIRST, 2, -1, 0},
	{FROM_LAST_END, 0, -1, 0}, /* where kernels are linked */
	{FROM_FIRST, 1, 0, MIB(4)},
	{FROM_FIRST, 1, 0, KIB(12)},         /* in one last-level table with the first */
	{FROM_FIRST, 1, 0, MIB(2) - KIB(4)}, /* the last page of that table */
	{FROM_FIRST, 1, 1, -KIB(4)},         /* before a boundary one level up */
	{FROM_FIRST, 2, 0, -KIB(4)},         /* before a boundary of the root */
	{FROM_FIRST, 2, 0, -MIB(2)},
};

static const struct spot edge_vas[WP_SPOTS] = {
	{FROM_ZERO, 0, 0, 0},
	{FROM_FIRST_END, 0, 0, -KIB(4)}, /* the last page */
	{FROM_FIRST_END, 0, 0, 0},       /* not canonical; or zero again */
	{FROM_LAST, 0, 0, 0},
	{FROM_LAST, 0, 0, -KIB(4)}, /* not canonical; or the last page of all */
	{FROM_LAST_END, 0, 0, -KIB(4)},
	{FROM_FIRST_END, 0, 0, -1}, /* the last byte */
	{FROM_FIRST, 1, 0, -KIB(4)},
	{FROM_FIRST, 1, 0, 0},
	{FROM_FIRST_END, -1, 0, 0},
	{FROM_LAST, 1, 0, -MIB(2)},
	{FROM_ZERO, 0, 0, -KIB(4)},
	{FROM_ZERO, 0, 0, INT64_MIN}, /* 2^63 */
	{FROM_ZERO, -1, 0, 0},        /* these two: one is the other half's */
	{FROM_ZERO, 1, 0, 0},
	{FROM_LAST_END, 0, 0, -MIB(2)},
};

/* Sums wrap modulo 2^64, as address arithmetic does. */
static uint64_t spot_address(const struct wp_regime *regime, const struct spot *spot)
{
	uint64_t first[2], last[2], landmarks[FROM_ZERO + 1];
	const size_t ranges = wp_regime_ranges(regime, first, last);

	landmarks[FROM_FIRST] = first[0];
	landmarks[FROM_FIRST_END] = last[0] + 1;
	landmarks[FROM_LAST] = first[ranges - 1];
	landmarks[FROM_LAST_END] = last[ranges - 1] + 1;
	landmarks[FROM_ZERO] = 0;
	return landmarks[spot->from] + (uint64_t)(int64_t)spot->roots * wp_regime_span(regime, 0) +
	       (uint64_t)(int64_t)spot->seconds * wp_regime_span(regime, 1) + (uint64_t)spot->bytes;
}

uint64_t wp_hot_va(const struct wp_regime *regime, unsigned index)
{
	return spot_address(regime, &hot_vas[index % WP_SPOTS]);
}

uint64_t wp_edge_va(const struct wp_regime *regime, unsigned index)
{
	return spot_address(regime, &edge_vas[index % WP_SPOTS]);
}

/* ------------------------------------------------------------ physical addresses */

/* A power of two, zero, or the end of physical memory, moved by some bytes. */
struct physical_spot {
	uint8_t bits;
	int64_t bytes;
};
#define AT_ZERO 0xfe
#define AT_END  0xff

/* The window of guest memory that holds the tables is 16 MiB from 1 GiB on. */
static const struct physical_spot hot_pas[WP_SPOTS] = {
	{31, 0},           {30, 0}, /* in the window */
	{32, 0},           {39, 0},
	{39, GIB(512)},    {47, 0}, /* 2^47 and 2^48: see wp_hot_pa() */
	{30, MIB(2)},               /* in the window */
	{AT_ZERO, 0},      {31, GIB(1)},
	{31, MIB(2)},      {30, MIB(16) - KIB(4)}, /* in the window: its last page */
	{30, KIB(20)},                             /* in the window: a table, likely */
	{31, KIB(12)},     {AT_END, -GIB(512)},
	{AT_END, -MIB(2)}, {35, 0},
};

static const struct physical_spot edge_pas[WP_SPOTS] = {
	{AT_ZERO, 0},      {AT_END, -KIB(4)},  {AT_END, 0},   {63, 0},
	{AT_END, -GIB(1)}, {AT_ZERO, -KIB(4)}, {31, KIB(2)},  {AT_END, -8},
	{AT_END, -MIB(2)}, {AT_END, GIB(1)},   {30, 8},       {52, 0},
	{48, 0},           {40, -KIB(4)},      {56, -KIB(4)}, {31, MIB(2) - KIB(4)},
};

static uint64_t physical_address(const struct wp_regime *regime, const struct physical_spot *spot)
{
	if (spot->bits == AT_ZERO)
		return (uint64_t)spot->bytes;
	if (spot->bits == AT_END)
		return ((uint64_t)1 << regime->pa_bits) + (uint64_t)spot->bytes;
	return ((uint64_t)1 << spot->bits) + (uint64_t)spot->bytes;
}

uint64_t wp_hot_pa(const struct wp_regime *regime, unsigned index)
{
	const struct physical_spot *spot = &hot_pas[index % WP_SPOTS];

	/* Where it exists, a page of 256 TiB that isn't the first one. */
	if (spot->bits == 47 && regime->pa_bits > 48)
		return (uint64_t)1 << 48;
	return physical_address(regime, spot);
}

uint64_t wp_edge_pa(const struct wp_regime *regime, unsigned index)
{
	return physical_address(regime, &edge_pas[index % WP_SPOTS]);
}

/* --------------------------------------------------------------------- resolving */

/* NULL: nothing is mapped. */
static const struct wp_run *live_run(const struct wp_model *model, unsigned table, unsigned index)
{
	const struct wp_run *runs;
	size_t count;

	if (model == NULL || !wp_model_exists(model, table))
		return NULL;
	runs = wp_model_runs(model, table, &count);
	return count > 0 ? &runs[index % count] : NULL;
}

/* `run` is asked for by the two live bases only. */
static uint64_t base_address(const struct wp_address *address, const struct wp_regime *regime,
                             const struct wp_run *run, bool physical)
{
	if (address->base == WP_BASE_EDGE)
		return physical ? wp_edge_pa(regime, address->index)
		                : wp_edge_va(regime, address->index);
	if (run != NULL)
		return (physical ? run->pa : run->va) +
		       (address->base == WP_BASE_LIVE_END ? run->bytes : 0);
	return physical ? wp_hot_pa(regime, address->index) : wp_hot_va(regime, address->index);
}

static uint64_t resolve_address(const struct wp_address *address, const struct wp_regime *regime,
                                const struct wp_model *model, unsigned table, bool physical)
{
	const struct wp_run *run = NULL;

	if (address->base == WP_BASE_RAW)
		return address->value;
	if (address->base == WP_BASE_LIVE || address->base == WP_BASE_LIVE_END)
		run = live_run(model, table, address->index);
	return base_address(address, regime, run, physical) +
	       (uint64_t)(int64_t)address->offset * wp_unit_bytes(address->unit);
}

static uint64_t resolve_length(const struct wp_length *length)
{
	return length->unit == WP_UNITS ? length->value
	                                : length->count * wp_unit_bytes(length->unit);
}

/* ---------------------------------------------------------------------- clipping */

/* The largest leaf that fits at `va`, whose pa differs from it by `apart` in bits. */
static uint64_t leaf_at(uint64_t leaf_sizes, uint64_t va, uint64_t apart, uint64_t left)
{
	uint64_t best = PT_4K;

	for (uint64_t leaf = PT_2M; leaf <= leaf_sizes && leaf <= left; leaf <<= 9) {
		if ((leaf_sizes & leaf) && ((va | apart) & (leaf - 1)) == 0)
			best = leaf;
	}
	return best;
}

/*
 * How much of a linear region WP_MAX_LEAVES leaves cover, each as large as
 * possible. Leaves of one size are counted at once: as many as there are until a
 * larger one could take over, or the length runs out.
 */
static uint64_t clip_huge(uint64_t leaf_sizes, uint64_t va, uint64_t pa, uint64_t size)
{
	uint64_t done = 0;

	for (uint64_t budget = WP_MAX_LEAVES; budget > 0 && done < size;) {
		const uint64_t at = va + done;
		const uint64_t leaf = leaf_at(leaf_sizes, at, va ^ pa, size - done);
		uint64_t run = (size - done) / leaf;
		const uint64_t larger = leaf << 9;

		if (larger <= leaf_sizes && run > (larger - (at & (larger - 1))) / leaf)
			run = (larger - (at & (larger - 1))) / leaf;
		if (run > budget)
			run = budget;
		done += run * leaf;
		budget -= run;
	}
	return done;
}

/* Whether [va, va + size) lies in one canonical range; size is not zero. */
static bool range_canonical(const struct wp_regime *regime, uint64_t va, uint64_t size)
{
	const uint64_t last = va + (size - 1);
	uint64_t first_byte[2], last_byte[2];
	const size_t ranges = wp_regime_ranges(regime, first_byte, last_byte);

	for (size_t i = 0; i < ranges; i++) {
		if (va >= first_byte[i] && last >= va && last <= last_byte[i])
			return true;
	}
	return false;
}

/*
 * A region that leaves its canonical range is refused at once, however long it
 * is; so is one that isn't aligned, if no source has to be asked.
 */
static uint64_t clip(const struct wp_regime *regime, const struct wp_call *call)
{
	const uint64_t most = WP_MAX_LEAVES * PT_4K;

	if (call->opcode != WP_OP_MAP_REGION && call->opcode != WP_OP_MAP_REGION_WITH)
		return call->size;
	if (call->size <= most || !range_canonical(regime, call->va, call->size))
		return call->size;
	if (call->opcode == WP_OP_MAP_REGION_WITH)
		return call->size % PT_4K == 0 ? most : most - PT_4K + call->size % PT_4K;
	if ((call->va | call->pa | call->size) % PT_4K != 0)
		return call->size;
	return call->allow_huge ? clip_huge(regime->leaf_sizes, call->va, call->pa, call->size)
	                        : most;
}

void wp_op_resolve(const struct wp_op *op, const struct wp_regime *regime,
                   const struct wp_model *model, struct wp_call *call)
{
	const unsigned operands = wp_opcode_shapes[op->opcode].operands;

	*call = (struct wp_call){.opcode = (enum wp_opcode)op->opcode};
	if (operands & WP_ARG_TABLE)
		call->table = op->table;
	if (operands & WP_ARG_VA)
		call->va = resolve_address(&op->va, regime, model, op->table, false);
	if (operands & WP_ARG_PA)
		call->pa = resolve_address(&op->pa, regime, model, op->table, true);
	if (operands & (WP_ARG_LEAF | WP_ARG_LENGTH))
		call->size = resolve_length(&op->length);
	if (operands & WP_ARG_FLAGS)
		call->flags = op->flags;
	if (operands & WP_ARG_SOURCE)
		call->source = (enum wp_source)op->source;
	if (operands & WP_ARG_HUGE)
		call->allow_huge = op->allow_huge;
	if (operands & WP_ARG_ONCE)
		call->once = op->once;
	if (operands & WP_ARG_GRANTS)
		call->count = op->count;
	if (operands & WP_ARG_LIMIT)
		call->count = op->count == WP_NO_LIMIT ? SIZE_MAX : op->count;
	call->size = clip(regime, call);
}

void wp_op_from_call(const struct wp_call *call, struct wp_op *op)
{
	const unsigned operands = wp_opcode_shapes[call->opcode].operands;

	*op = (struct wp_op){.opcode = (uint8_t)call->opcode};
	if (operands & WP_ARG_TABLE)
		op->table = (uint8_t)call->table;
	if (operands & WP_ARG_VA)
		op->va = (struct wp_address){.base = WP_BASE_RAW, .value = call->va};
	if (operands & WP_ARG_PA)
		op->pa = (struct wp_address){.base = WP_BASE_RAW, .value = call->pa};
	if (operands & (WP_ARG_LEAF | WP_ARG_LENGTH))
		op->length = (struct wp_length){.unit = WP_UNITS, .value = call->size};
	if (operands & WP_ARG_FLAGS)
		op->flags = (uint8_t)call->flags;
	if (operands & WP_ARG_SOURCE)
		op->source = (uint8_t)call->source;
	if (operands & WP_ARG_HUGE)
		op->allow_huge = call->allow_huge;
	if (operands & WP_ARG_ONCE)
		op->once = call->once;
	if (operands & (WP_ARG_GRANTS | WP_ARG_LIMIT))
		op->count = call->count < WP_NO_LIMIT ? (uint16_t)call->count : WP_NO_LIMIT;
}

uint64_t wp_source_page(enum wp_source source, uint64_t pa, uint64_t i, uint64_t pages)
{
	uint64_t from = i;
	uint64_t extra = 0;

	if (source == WP_SOURCE_REVERSED)
		from = pages - 1 - i;
	else if (source == WP_SOURCE_SWAPPED)
		from = (i ^ 1) < pages ? i ^ 1 : i;
	else if (source == WP_SOURCE_SAME)
		from = 0;
	else if (source == WP_SOURCE_BROKEN && i == pages / 2)
		from = i + 1;
	else if (source == WP_SOURCE_UNALIGNED && i == pages - 1)
		extra = 8;
	return pa + from * PT_4K + extra;
}
