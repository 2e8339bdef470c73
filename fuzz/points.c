/* SPDX-License-Identifier: MIT */
#include "points.h"

static unsigned size_rank(uint64_t size)
{
	return size < PT_4K ? WP_NO_SIZE : ((unsigned)__builtin_ctzll(size) - 12) / 9;
}

static bool has_address(const struct wp_call *call)
{
	return call->opcode <= WP_OP_GIVE_BACK && call->opcode != WP_OP_WALK;
}

/* The size of leaf that the call wants at its address; 0: whatever is there. */
static uint64_t wanted_size(const struct wp_call *call)
{
	switch (call->opcode) {
	case WP_OP_MAP:
		return call->size;
	case WP_OP_MAP_REGION:
	case WP_OP_MAP_REGION_WITH:
		return PT_4K;
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

static enum wp_met met(const struct wp_call *call, const struct wp_run *run, unsigned height)
{
	const uint64_t wanted = wanted_size(call);

	if (run == NULL && wanted != 0 && height < size_rank(wanted))
		return WP_MET_TABLE;
	if (run == NULL)
		return WP_MET_HOLE;
	if (wanted > run->leaf)
		return WP_MET_TABLE;
	if (wanted == 0 ? cuts(call, run) : wanted < run->leaf)
		return WP_MET_LARGER;
	return run->flags & (PT_READ | PT_WRITE | PT_EXECUTE) ? WP_MET_LEAF : WP_MET_NO_ACCESS;
}

/* The first run that doesn't end before `va`. */
static size_t seek(const struct wp_run *runs, size_t count, uint64_t va)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (runs[middle].va + (runs[middle].bytes - 1) < va)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of the empty slot that covers `va`: as high as nothing is mapped below it. */
static unsigned hole_height(const struct wp_regime *regime, const struct wp_model *model,
                            unsigned table, uint64_t va)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(model, table, &count);
	const size_t next = seek(runs, count, va);
	unsigned height = 0;

	for (; height + 1u < regime->levels; height++) {
		const uint64_t span = PT_4K << 9 * (height + 1);
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

	if (!has_address(call) || !wp_regime_canonical(regime, call->va) ||
	    !wp_model_exists(model, call->table))
		return meeting;
	run = wp_model_find(model, call->table, call->va);
	if (run != NULL)
		meeting.height = meeting.size = (uint8_t)size_rank(run->leaf);
	else
		meeting.height = (uint8_t)hole_height(regime, model, call->table, call->va);
	meeting.met = met(call, run, meeting.height);
	return meeting;
}

static bool makes_leaves(enum wp_opcode opcode)
{
	return opcode == WP_OP_MAP || opcode == WP_OP_PROTECT || opcode == WP_OP_REMAP ||
	       opcode == WP_OP_MAP_REGION || opcode == WP_OP_MAP_REGION_WITH ||
	       opcode == WP_OP_PROTECT_REGION;
}

size_t wp_points_of(const struct wp_model *model, const struct wp_meeting *meeting,
                    const struct wp_call *call, pt_status status,
                    size_t points[WP_POINTS_OF_A_CALL])
{
	const bool access = (call->flags & (PT_READ | PT_WRITE | PT_EXECUTE)) != 0;
	unsigned size = meeting->size;
	size_t count = 0;

	if (call->opcode == WP_OP_MAP)
		size = call->size <= PT_256T && (call->size & (call->size - 1)) == 0
		               ? size_rank(call->size)
		               : WP_NO_SIZE;
	if (status == PT_OK && makes_leaves(call->opcode)) {
		const struct wp_run *run = wp_model_find(model, call->table, call->va);

		if (run != NULL) {
			size = size_rank(run->leaf);
			points[count++] = wp_leaf_point(run->flags, size);
		}
	}
	points[count++] = wp_call_point(call->opcode, status, meeting->height,
	                                size < WP_SIZES ? size : WP_NO_SIZE);
	if (meeting->met != WP_MET_NOTHING)
		points[count++] = wp_meeting_point(call->opcode, meeting->met, access);
	return count;
}
