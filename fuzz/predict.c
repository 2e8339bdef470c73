/* SPDX-License-Identifier: MIT */
#include "predict.h"

#include "operands.h"

/* ---- the contract ---- */

static struct wp_verdict predict_map_region_with(struct wp_model *model, const struct wp_call *call,
                                                 size_t available)
{
	const struct wp_regime *regime = wp_model_regime(model);
	uint64_t pages[WP_MAX_LEAVES];
	const uint64_t count = call->size >> regime->granule_shift;

	for (uint64_t i = 0; i < count && i < WP_MAX_LEAVES; i++)
		pages[i] = wp_source_page(regime, call->source, call->pa, i, count);
	return wp_model_map_region_with(model, call->table, call->va, pages, call->size,
	                                call->flags, call->allow_huge, available);
}

struct wp_verdict wp_predict(struct wp_model *model, const struct wp_call *c, size_t available)
{
	switch (c->opcode) {
	case WP_OP_MAP:
		return wp_model_map(model, c->table, c->va, c->pa, c->size, c->flags, available);
	case WP_OP_UNMAP:
		return wp_model_unmap(model, c->table, c->va);
	case WP_OP_PROTECT:
		return wp_model_protect(model, c->table, c->va, c->flags);
	case WP_OP_REMAP:
		return wp_model_remap(model, c->table, c->va, c->pa, c->flags);
	case WP_OP_QUERY:
		return wp_model_query(model, c->table, c->va);
	case WP_OP_MAP_REGION:
		return wp_model_map_region(model, c->table, c->va, c->pa, c->size, c->flags,
		                           c->allow_huge, available);
	case WP_OP_MAP_REGION_WITH:
		return predict_map_region_with(model, c, available);
	case WP_OP_UNMAP_REGION:
		return wp_model_unmap_region(model, c->table, c->va, c->size, available);
	case WP_OP_PROTECT_REGION:
		return wp_model_protect_region(model, c->table, c->va, c->size, c->flags,
		                               available);
	case WP_OP_HARVEST:
		return wp_model_harvest(model, c->table, c->va, c->size, c->uses);
	case WP_OP_COPY_FROM:
		return wp_model_copy_from(model, c->table, 1 - c->table, c->va, c->size);
	default:
		return wp_model_give_back(model, c->table, c->va, c->size);
	}
}

/* ---- regions, a piece at a time ---- */

static uint64_t page_at(const struct wp_regime *regime, const struct wp_call *call, uint64_t offset)
{
	if (call->opcode == WP_OP_MAP_REGION)
		return call->pa + offset;
	return wp_source_page(regime, call->source, call->pa, offset >> regime->granule_shift,
	                      call->size >> regime->granule_shift);
}

/* Whether the pages of [offset, offset + leaf) are one stretch. */
static bool is_stretch(const struct wp_regime *regime, const struct wp_call *call, uint64_t offset,
                       uint64_t leaf)
{
	const uint64_t pa = page_at(regime, call, offset), page = wp_regime_page(regime);

	if (call->opcode == WP_OP_MAP_REGION)
		return true;
	for (uint64_t i = page; i < leaf; i += page) {
		if (page_at(regime, call, offset + i) != pa + i)
			return false;
	}
	return true;
}

/* The leaf to map at `offset`: the largest that addresses, pages and the rest allow. */
static uint64_t leaf_to_map(const struct wp_regime *regime, const struct wp_call *call,
                            uint64_t offset, uint64_t sizes)
{
	const uint64_t at = (call->va + offset) | page_at(regime, call, offset);
	const uint64_t page = wp_regime_page(regime);
	uint64_t best = page;

	for (uint64_t leaf = page << regime->index_bits;
	     call->allow_huge && leaf != 0 && leaf <= sizes; leaf <<= regime->index_bits) {
		if ((sizes & regime->leaf_sizes & leaf) && (at & (leaf - 1)) == 0 &&
		    leaf <= call->size - offset && is_stretch(regime, call, offset, leaf))
			best = leaf;
	}
	return best;
}

/* What is mapped alike from `va` on, up to `last`; 0: nothing is at `va`. */
static uint64_t leaf_there(const struct wp_model *model, const struct wp_call *call, uint64_t va,
                           uint64_t last)
{
	const struct wp_run *run = wp_model_find(model, call->table, va);
	uint64_t end;

	if (run == NULL)
		return 0;
	end = va | (run->leaf - 1);
	return (end < last ? end : last) - va + 1;
}

/* The piece at `offset`, as a call of its own; its size is 0 in a hole. */
static struct wp_call piece_at(const struct wp_model *model, const struct wp_call *call,
                               uint64_t offset, uint64_t sizes)
{
	const struct wp_regime *regime = wp_model_regime(model);
	const uint64_t last = call->va + (call->size - 1);
	struct wp_call piece = *call;

	piece.va = call->va + offset;
	if (call->opcode == WP_OP_MAP_REGION || call->opcode == WP_OP_MAP_REGION_WITH) {
		piece.opcode = WP_OP_MAP;
		piece.pa = page_at(regime, call, offset);
		piece.size = leaf_to_map(regime, call, offset, sizes);
	} else {
		piece.size = leaf_there(model, call, piece.va, last);
	}
	return piece;
}

/* Up to the next leaf, or to the end of the region. */
static uint64_t hole_at(const struct wp_model *model, const struct wp_call *call, uint64_t offset)
{
	const uint64_t va = call->va + offset;
	const size_t next = wp_model_seek(model, call->table, va);
	size_t count;
	const struct wp_run *runs = wp_model_runs(model, call->table, &count);
	const uint64_t rest = call->size - offset;

	return next < count && runs[next].va - va < rest ? runs[next].va - va : rest;
}

/* Up to the first piece that fails, or up to `most` bytes. */
static struct wp_verdict predict_pieces(struct wp_model *model, wp_profile profile,
                                        const struct wp_call *call, uint64_t most, size_t available,
                                        uint64_t *done)
{
	const bool skips = wp_deviates(profile, WP_UNMAP_SKIPS_HOLES) ||
	                   call->opcode == WP_OP_PROTECT_REGION;
	struct wp_verdict whole = {.status = PT_OK};

	for (*done = 0; *done < most;) {
		const struct wp_call piece = piece_at(
			model, call, *done, wp_profile_leaf_sizes(profile, wp_model_regime(model)));
		struct wp_verdict verdict = {.status = skips ? PT_OK : PT_NOT_MAPPED};

		if (piece.size != 0)
			verdict = wp_predict(model, &piece, available);
		if (verdict.status != PT_OK) {
			whole.status = verdict.status;
			return whole;
		}
		whole.allocated += verdict.allocated;
		whole.removed += verdict.removed;
		available -= available == SIZE_MAX ? 0 : verdict.allocated;
		*done += piece.size != 0 ? piece.size : hole_at(model, call, *done);
	}
	return whole;
}

static bool has_hole(const struct wp_model *model, const struct wp_call *call)
{
	const uint64_t last = call->va + (call->size - 1);
	uint64_t va = call->va;

	for (;;) {
		const struct wp_run *run = wp_model_find(model, call->table, va);
		uint64_t end;

		if (run == NULL)
			return true;
		end = run->va + (run->bytes - 1);
		if (end >= last)
			return false;
		va = end + 1;
	}
}

/* What the contract checks of a region before it looks at what is mapped. */
static bool is_refused_at_once(const struct wp_regime *regime, const struct wp_call *call,
                               pt_status status)
{
	/* Of a page that the caller's function names there is nothing to say before it is asked. */
	const bool whole = ((call->va | call->size) & (wp_regime_page(regime) - 1)) == 0 &&
	                   call->va + (call->size - 1) >= call->va;

	switch (status) {
	case PT_BAD_SIZE:
	case PT_BAD_FLAGS:
	case PT_BORROWED:
		return true;
	case PT_BAD_ADDRESS:
	case PT_NOT_ALIGNED:
		return call->opcode != WP_OP_MAP_REGION_WITH || !whole;
	default:
		return false;
	}
}

/* ---- with deviations ---- */

static struct wp_verdict predict_region(struct wp_model *model, wp_profile profile,
                                        const struct wp_call *call, size_t available,
                                        struct wp_model *before, uint64_t *done)
{
	const bool refuses = wp_deviates(profile, WP_PROTECT_REFUSES_HOLES) &&
	                     call->opcode == WP_OP_PROTECT_REGION;
	const bool skips = wp_deviates(profile, WP_UNMAP_SKIPS_HOLES) &&
	                   call->opcode == WP_OP_UNMAP_REGION;
	struct wp_verdict verdict;

	wp_model_copy(before, model);
	verdict = wp_predict(model, call, available);
	if ((verdict.status == PT_OK || verdict.status == PT_NO_MEMORY) && refuses &&
	    has_hole(before, call)) {
		wp_model_copy(model, before);
		return (struct wp_verdict){.status = PT_NOT_MAPPED};
	}
	if (verdict.status == PT_NOT_MAPPED && skips) {
		verdict = predict_pieces(model, profile, call, call->size, available, done);
		if (verdict.status != PT_OK)
			wp_model_copy(model, before);
	}
	if (verdict.status == PT_OK || !wp_deviates(profile, WP_PARTIAL_REGIONS) ||
	    is_refused_at_once(wp_model_regime(model), call, verdict.status))
		return verdict;
	return predict_pieces(model, profile, call, call->size, available, done);
}

struct wp_verdict wp_predict_as(struct wp_model *model, wp_profile profile,
                                const struct wp_call *call, size_t available,
                                struct wp_model *before, uint64_t *done)
{
	*done = 0;
	if (wp_is_region(call->opcode))
		return predict_region(model, profile, call, available, before, done);
	return wp_predict(model, call, available);
}

struct wp_verdict wp_predict_part(struct wp_model *model, wp_profile profile,
                                  const struct wp_call *call, uint64_t bytes)
{
	uint64_t done;

	return predict_pieces(model, profile, call, bytes, SIZE_MAX, &done);
}

uint64_t wp_profile_piece(wp_profile profile, const struct wp_model *model,
                          const struct wp_call *call, uint64_t offset)
{
	return piece_at(model, call, offset, wp_profile_leaf_sizes(profile, wp_model_regime(model)))
	        .size;
}

void wp_profile_align(wp_profile profile, const struct wp_model *model, struct wp_call *call)
{
	const struct wp_run *run;
	uint64_t unit = wp_regime_page(wp_model_regime(model));

	if (!wp_deviates(profile, WP_ALIGNS_DOWN) || call->opcode > WP_OP_REMAP)
		return;
	run = wp_model_exists(model, call->table) ? wp_model_find(model, call->table, call->va)
	                                          : NULL;
	if (call->opcode == WP_OP_MAP)
		unit = call->size != 0 && (call->size & (call->size - 1)) == 0 ? call->size : 1;
	else if (run != NULL)
		unit = run->leaf;
	call->va &= ~(unit - 1);
	call->pa &= ~(unit - 1);
}

/* ---- what isn't asked for ---- */

static bool takes_flags(enum wp_opcode opcode)
{
	return (wp_opcode_shapes[opcode].operands & WP_ARG_FLAGS) != 0;
}

static bool cuts(const struct wp_model *model, unsigned table, uint64_t va)
{
	const struct wp_run *run = wp_model_exists(model, table) ? wp_model_find(model, table, va)
	                                                         : NULL;

	return run != NULL && (va & (run->leaf - 1)) != 0;
}

bool wp_profile_never_asks(wp_profile profile, enum wp_opcode opcode)
{
	static const struct {
		enum wp_opcode opcode;
		enum wp_deviation deviation;
	} never[] = {
		{WP_OP_REFUSE, WP_ASSUMES_MEMORY}, {WP_OP_ALLOW, WP_ASSUMES_MEMORY},
		{WP_OP_COPY_FROM, WP_NO_LOANS},    {WP_OP_GIVE_BACK, WP_NO_LOANS},
		{WP_OP_WALK, WP_NO_WALK},
	};

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
		if (never[i].opcode == opcode && wp_deviates(profile, never[i].deviation))
			return true;
	}
	return false;
}

bool wp_profile_leaves_out(wp_profile profile, const struct wp_model *model,
                           const struct wp_call *call)
{
	const bool maps = call->opcode == WP_OP_MAP_REGION || call->opcode == WP_OP_MAP_REGION_WITH;
	const bool changes = call->opcode == WP_OP_UNMAP_REGION ||
	                     call->opcode == WP_OP_PROTECT_REGION;
	const uint64_t sizes = wp_profile_leaf_sizes(profile, wp_model_regime(model));
	const uint64_t largest = sizes == UINT64_MAX ? PT_1G : sizes & ~(sizes >> 9);

	if (wp_profile_never_asks(profile, call->opcode))
		return true;
	if (wp_is_region(call->opcode) && wp_deviates(profile, WP_SMALL_REGIONS) &&
	    call->size > PT_1G)
		return true;
	if (call->opcode == WP_OP_MAP_REGION_WITH && call->allow_huge &&
	    wp_deviates(profile, WP_ASSUMES_LINEAR))
		return true;
	if (call->opcode == WP_OP_PROTECT_REGION && wp_deviates(profile, WP_ASSUMES_NO_HOLES) &&
	    (call->size == 0 || !wp_model_exists(model, call->table) || has_hole(model, call)))
		return true;
	if (takes_flags(call->opcode) && wp_deviates(profile, WP_NO_NO_ACCESS) &&
	    (call->flags & (PT_READ | PT_WRITE | PT_EXECUTE)) == 0)
		return true;
	if (takes_flags(call->opcode) && wp_deviates(profile, WP_NO_MEMORY_TYPES) &&
	    (call->flags & (PT_DEVICE | PT_UNCACHED)) != 0)
		return true;
	/* regions were cut to so many leaves of the regime's sizes */
	if (maps && call->allow_huge &&
	    (wp_deviates(profile, WP_REGIONS_OF_4K) ||
	     (sizes != UINT64_MAX && call->size / largest > WP_MAX_LEAVES)))
		return true;
	return changes && wp_deviates(profile, WP_NO_SPLIT) &&
	       (cuts(model, call->table, call->va) ||
	        cuts(model, call->table, call->va + call->size));
}

bool wp_profile_avoids(wp_profile profile, const struct wp_call *call, pt_status status)
{
	static const struct {
		enum wp_deviation deviation;
		unsigned statuses;
	} avoided[] = {
		{WP_TRUNCATES_ADDRESSES, 1u << PT_BAD_ADDRESS},
		{WP_ASSUMES_ALIGNED, 1u << PT_NOT_ALIGNED},
		{WP_ASSUMES_SIZES, 1u << PT_BAD_SIZE},
		{WP_APPROXIMATES_FLAGS, 1u << PT_BAD_FLAGS},
		{WP_ASSUMES_UNMAPPED, 1u << PT_ALREADY_MAPPED | 1u << PT_MAPPED_TO_HUGE_PAGE},
		{WP_ASSUMES_MAPPED, 1u << PT_NOT_MAPPED},
	};

	for (size_t i = 0; i < sizeof avoided / sizeof avoided[0]; i++) {
		if (wp_deviates(profile, avoided[i].deviation) &&
		    (avoided[i].statuses >> status & 1) != 0)
			return call->opcode != WP_OP_QUERY || status == PT_BAD_ADDRESS;
	}
	return false;
}
