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
 * A place in any regime's address space: so many root slots, slots of the next level,
 * pages, and so on from one of its landmarks.
 */
struct spot {
	enum spot_from from;
	int8_t roots;
	int8_t seconds;
	int8_t pages;
	int8_t larges; /* slots of the level above pages */
	int64_t bytes;
};

#define KIB(n) ((int64_t)(n) * 1024)
#define MIB(n) (KIB(n) * 1024)
#define GIB(n) (MIB(n) * 1024)

/* Zero is the plainest. Those up to 7 are multiples of every leaf, or of most. */
static const struct spot hot_vas[WP_SPOTS] = {
	{.from = FROM_FIRST, .roots = 1},               /* the second root slot... */
	{.from = FROM_FIRST, .roots = 1, .seconds = 1}, /* ...its second slot... */
	{.from = FROM_FIRST, .roots = 2},               /* ...and the next root slot */
	{.from = FROM_LAST_END, .roots = -1},           /* the last root slot */
	{.from = FROM_LAST},
	{.from = FROM_FIRST_END, .roots = -2},
	{.from = FROM_FIRST, .roots = 1, .seconds = 1, .bytes = GIB(1)},
	{.from = FROM_FIRST}, /* the first root slot: the null page */
	{.from = FROM_FIRST, .roots = 2, .seconds = -1},
	{.from = FROM_LAST_END, .seconds = -1}, /* where kernels are linked */
	{.from = FROM_FIRST, .roots = 1, .larges = 2},
	{.from = FROM_FIRST, .roots = 1, .pages = 3}, /* in one last-level table with the first */
	/* the last page of that table; before a boundary one level up, and of the root */
	{.from = FROM_FIRST, .roots = 1, .larges = 1, .pages = -1},
	{.from = FROM_FIRST, .roots = 1, .seconds = 1, .pages = -1},
	{.from = FROM_FIRST, .roots = 2, .pages = -1},
	{.from = FROM_FIRST, .roots = 2, .larges = -1},
};

static const struct spot edge_vas[WP_SPOTS] = {
	{.from = FROM_ZERO},
	{.from = FROM_FIRST_END, .pages = -1}, /* the last page */
	{.from = FROM_FIRST_END},              /* not canonical; or zero again */
	{.from = FROM_LAST},
	{.from = FROM_LAST, .pages = -1}, /* not canonical; or the last page of all */
	{.from = FROM_LAST_END, .pages = -1},
	{.from = FROM_FIRST_END, .bytes = -1}, /* the last byte */
	{.from = FROM_FIRST, .roots = 1, .pages = -1},
	{.from = FROM_FIRST, .roots = 1},
	{.from = FROM_FIRST_END, .roots = -1},
	{.from = FROM_LAST, .roots = 1, .larges = -1},
	{.from = FROM_ZERO, .pages = -1},
	{.from = FROM_ZERO, .bytes = INT64_MIN}, /* 2^63 */
	{.from = FROM_ZERO, .roots = -1},        /* these two: one is the other half's */
	{.from = FROM_ZERO, .roots = 1},
	{.from = FROM_LAST_END, .larges = -1},
};

/* So many pages and slots of the level above, in bytes, which wrap. */
static uint64_t small_steps(const struct wp_regime *regime, int pages, int larges)
{
	return (uint64_t)(int64_t)pages * wp_unit_bytes(regime, WP_UNIT_4K) +
	       (uint64_t)(int64_t)larges * wp_unit_bytes(regime, WP_UNIT_2M);
}

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
	       (uint64_t)(int64_t)spot->seconds * wp_regime_span(regime, 1) +
	       small_steps(regime, spot->pages, spot->larges) + (uint64_t)spot->bytes;
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
	int8_t pages;
	int8_t larges; /* as above */
};
#define AT_ZERO 0xfe
#define AT_END  0xff

/* The window of guest memory that holds the tables is 16 MiB from 1 GiB on. */
static const struct physical_spot hot_pas[WP_SPOTS] = {
	{.bits = 31},
	{.bits = 30}, /* in the window */
	{.bits = 32},
	{.bits = 39},
	{.bits = 39, .bytes = GIB(512)},
	{.bits = 47},              /* 2^47 and 2^48: see wp_hot_pa() */
	{.bits = 30, .larges = 1}, /* in the window */
	{.bits = AT_ZERO},
	{.bits = 31, .bytes = GIB(1)},
	{.bits = 31, .larges = 1},
	{.bits = 30, .bytes = MIB(16), .pages = -1}, /* in the window: its last page */
	{.bits = 30, .pages = 5},                    /* in the window: a table, likely */
	{.bits = 31, .pages = 3},
	{.bits = AT_END, .bytes = -GIB(512)},
	{.bits = AT_END, .larges = -1},
	{.bits = 35},
};

static const struct physical_spot edge_pas[WP_SPOTS] = {
	{.bits = AT_ZERO},
	{.bits = AT_END, .pages = -1},
	{.bits = AT_END},
	{.bits = 63},
	{.bits = AT_END, .bytes = -GIB(1)},
	{.bits = AT_ZERO, .pages = -1},
	{.bits = 31, .bytes = KIB(2)},
	{.bits = AT_END, .bytes = -8},
	{.bits = AT_END, .larges = -1},
	{.bits = AT_END, .bytes = GIB(1)},
	{.bits = 30, .bytes = 8},
	{.bits = 52},
	{.bits = 48},
	{.bits = 40, .pages = -1},
	{.bits = 56, .pages = -1},
	{.bits = 31, .pages = -1, .larges = 1},
};

static uint64_t physical_address(const struct wp_regime *regime, const struct physical_spot *spot)
{
	const uint64_t beyond = small_steps(regime, spot->pages, spot->larges) +
	                        (uint64_t)spot->bytes;

	if (spot->bits == AT_ZERO)
		return beyond;
	return ((uint64_t)1 << (spot->bits == AT_END ? regime->pa_bits : spot->bits)) + beyond;
}

uint64_t wp_hot_pa(const struct wp_regime *regime, unsigned index)
{
	const struct physical_spot *spot = &hot_pas[index % WP_SPOTS];

	/* Where it exists, a page of 256 TiB that isn't the first one. */
	if (spot->bits == 47 && regime->pa_bits > 48)
		return (uint64_t)1 << 48;
	return physical_address(regime, spot);
}

static uint64_t edge_pa(const struct wp_regime *regime, unsigned index)
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
		return physical ? edge_pa(regime, address->index)
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
	       (uint64_t)(int64_t)address->offset * wp_unit_bytes(regime, address->unit);
}

static uint64_t resolve_length(const struct wp_regime *regime, const struct wp_length *length)
{
	return length->unit == WP_UNITS ? length->value
	                                : length->count * wp_unit_bytes(regime, length->unit);
}

/* ---------------------------------------------------------------------- clipping */

/* The largest leaf that fits at `va`, whose pa differs from it by `apart` in bits. */
static uint64_t leaf_at(const struct wp_regime *regime, uint64_t va, uint64_t apart, uint64_t left)
{
	const uint64_t sizes = regime->leaf_sizes;
	uint64_t best = wp_regime_page(regime), leaf = best << regime->index_bits;

	for (; leaf <= sizes && leaf <= left; leaf <<= regime->index_bits) {
		if ((sizes & leaf) && ((va | apart) & (leaf - 1)) == 0)
			best = leaf;
	}
	return best;
}

/*
 * How much of a linear region WP_MAX_LEAVES leaves cover, each as large as
 * possible. Leaves of one size are counted at once: as many as there are until a
 * larger one could take over, or the length runs out.
 */
static uint64_t clip_huge(const struct wp_regime *regime, uint64_t va, uint64_t pa, uint64_t size)
{
	uint64_t done = 0;

	for (uint64_t budget = WP_MAX_LEAVES; budget > 0 && done < size;) {
		const uint64_t at = va + done;
		const uint64_t leaf = leaf_at(regime, at, va ^ pa, size - done);
		uint64_t run = (size - done) / leaf;
		const uint64_t larger = leaf << regime->index_bits;

		if (larger <= regime->leaf_sizes && run > (larger - (at & (larger - 1))) / leaf)
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
	const uint64_t page = wp_regime_page(regime), most = WP_MAX_LEAVES * page;

	if (call->opcode != WP_OP_MAP_REGION && call->opcode != WP_OP_MAP_REGION_WITH)
		return call->size;
	if (call->size <= most || !range_canonical(regime, call->va, call->size))
		return call->size;
	if (call->opcode == WP_OP_MAP_REGION_WITH)
		return call->size % page == 0 ? most : most - page + call->size % page;
	if ((call->va | call->pa | call->size) % page != 0)
		return call->size;
	return call->allow_huge ? clip_huge(regime, call->va, call->pa, call->size) : most;
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
		call->size = resolve_length(regime, &op->length);
	if (operands & WP_ARG_FLAGS)
		call->flags = op->flags;
	if (operands & WP_ARG_USES)
		call->uses = op->uses;
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
	if (operands & WP_ARG_USES)
		op->uses = call->uses;
	if (operands & WP_ARG_SOURCE)
		op->source = (uint8_t)call->source;
	if (operands & WP_ARG_HUGE)
		op->allow_huge = call->allow_huge;
	if (operands & WP_ARG_ONCE)
		op->once = call->once;
	if (operands & (WP_ARG_GRANTS | WP_ARG_LIMIT))
		op->count = call->count < WP_NO_LIMIT ? (uint16_t)call->count : WP_NO_LIMIT;
}

uint64_t wp_source_page(const struct wp_regime *regime, enum wp_source source, uint64_t pa,
                        uint64_t i, uint64_t pages)
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
	return pa + from * wp_regime_page(regime) + extra;
}
