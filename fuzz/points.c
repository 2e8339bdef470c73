/* SPDX-License-Identifier: MIT */
#include "points.h"

#include "operands.h"

static bool has(const struct wp_call *call, unsigned operand)
{
	return (wp_opcode_shapes[call->opcode].operands & operand) != 0;
}

/* The size of leaf that the call wants at its address; 0: whatever is there. */
static uint64_t wanted_size(const struct wp_regime *regime, const struct wp_call *call)
{
	switch (call->opcode) {
	case WP_OP_MAP:
		return call->size;
	case WP_OP_MAP_REGION:
	case WP_OP_MAP_REGION_WITH:
		return wp_regime_page(regime);
	default:
		return 0;
	}
}

/* Whether the call takes less than the leaf from it. */
static bool cuts(const struct wp_call *call, const struct wp_run *run)
{
	const uint64_t start = call->va & ~(run->leaf - 1);

	return call->size != 0 && (start < call->va || call->size < run->leaf);
}

static enum wp_met met(const struct wp_regime *regime, const struct wp_call *call,
                       const struct wp_run *run, unsigned height)
{
	const uint64_t wanted = wanted_size(regime, call);

	if (run == NULL && wanted != 0 && height < wp_size_rank(regime, wanted))
		return WP_MET_TABLE;
	if (run == NULL)
		return WP_MET_HOLE;
	if (wanted > run->leaf)
		return WP_MET_TABLE;
	if (wanted == 0 ? cuts(call, run) : wanted < run->leaf)
		return WP_MET_LARGER;
	return run->flags & (PT_READ | PT_WRITE | PT_EXECUTE) ? WP_MET_LEAF : WP_MET_NO_ACCESS;
}

/* Of the empty slot that covers `va`: as high as nothing is mapped below it. */
static unsigned hole_height(const struct wp_regime *regime, const struct wp_model *model,
                            unsigned table, uint64_t va)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(model, table, &count);
	const size_t next = wp_model_seek(model, table, va);
	unsigned height = 0;

	for (; height + 1u < regime->levels; height++) {
		const uint64_t span = wp_regime_page(regime) << regime->index_bits * (height + 1);
		const uint64_t first = va & ~(span - 1), last = va | (span - 1);

		if ((next < count && runs[next].va <= last) ||
		    (next > 0 && runs[next - 1].va + (runs[next - 1].bytes - 1) >= first))
			break;
	}
	return height;
}

struct wp_meeting wp_meet(const struct wp_regime *regime, const struct wp_model *model,
                          const struct wp_call *call)
{
	struct wp_meeting meeting = {WP_NO_HEIGHT, WP_NO_SIZE, WP_MET_NOTHING};
	const struct wp_run *run;

	if (!has(call, WP_ARG_VA) || !wp_regime_canonical(regime, call->va) ||
	    !wp_model_exists(model, call->table))
		return meeting;
	run = wp_model_find(model, call->table, call->va);
	if (run != NULL)
		meeting.height = meeting.size = (uint8_t)wp_size_rank(regime, run->leaf);
	else
		meeting.height = (uint8_t)hole_height(regime, model, call->table, call->va);
	meeting.met = met(regime, call, run, meeting.height);
	return meeting;
}

size_t wp_points_of(const struct wp_regime *regime, const struct wp_model *model,
                    const struct wp_meeting *meeting, const struct wp_call *call, pt_status status,
                    size_t points[WP_POINTS_OF_A_CALL])
{
	const bool access = (call->flags & (PT_READ | PT_WRITE | PT_EXECUTE)) != 0;
	unsigned size = meeting->size;
	size_t count = 0;

	if (call->opcode == WP_OP_MAP)
		size = call->size <= PT_256T && (call->size & (call->size - 1)) == 0
		               ? wp_size_rank(regime, call->size)
		               : WP_NO_SIZE;
	if (status == PT_OK && has(call, WP_ARG_FLAGS)) {
		const struct wp_run *run = wp_model_find(model, call->table, call->va);

		if (run != NULL) {
			size = wp_size_rank(regime, run->leaf);
			points[count++] = wp_leaf_point(run->flags, size);
		}
	}
	points[count++] = wp_call_point(call->opcode, status, meeting->height,
	                                size < WP_SIZES ? size : WP_NO_SIZE);
	if (meeting->met != WP_MET_NOTHING)
		points[count++] = wp_meeting_point(call->opcode, meeting->met, access);
	return count;
}
