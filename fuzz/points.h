/* SPDX-License-Identifier: MIT */
/*
 * Coverpoints: which situations a run has been in, however the code came there. Three
 * kinds, each for every architecture:
 *
 *   call     operation x status x height of the slot that its address met x page size
 *   leaf     flags x page size of what a call mapped or protected
 *   meeting  operation x what stood in the slot that it wanted x access wanted
 *
 * A height counts from the last level, which is 0: so it means the same size under any number of levels.
 */
#ifndef WP_POINTS_H
#define WP_POINTS_H

#include "program.h"

#define WP_HEIGHTS    6 /* 5: no slot, as with an address that isn't canonical */
#define WP_SIZES      6 /* 4K, 2M, 1G, 512G, 256T; or 64K, 512M; 5: nothing is mapped */
#define WP_FLAG_SETS  64
#define WP_NO_HEIGHT  5
#define WP_NO_SIZE    5
#define WP_LEAF_SIZES 5

/* Of a leaf's size: 0 for a page, and so on; WP_NO_SIZE for less. */
static inline unsigned wp_size_rank(const struct wp_regime *regime, uint64_t size)
{
	unsigned rank = 0;

	if (size < wp_regime_page(regime))
		return WP_NO_SIZE;
	for (unsigned shift = regime->granule_shift + regime->index_bits;
	     shift <= (unsigned)__builtin_ctzll(size); shift += regime->index_bits)
		rank++;
	return rank;
}

/* What stands where a call wants its leaf. */
enum wp_met {
	WP_MET_NOTHING,   /* no slot, or none is asked for */
	WP_MET_HOLE,      /* empty there, or further up */
	WP_MET_TABLE,     /* smaller leaves, or none yet, below */
	WP_MET_LEAF,      /* of the size wanted */
	WP_MET_NO_ACCESS, /* the same, without any right */
	WP_MET_LARGER,    /* a part of a larger leaf */
	WP_METS,
};

/* Before a call. */
struct wp_meeting {
	uint8_t height;
	uint8_t size; /* of the leaf that was there */
	enum wp_met met;
};

#define WP_CALL_POINTS    ((unsigned)WP_OPCODES * PT_STATUSES * WP_HEIGHTS * WP_SIZES)
#define WP_LEAF_POINTS    (WP_FLAG_SETS * WP_LEAF_SIZES)
#define WP_MEETING_POINTS ((unsigned)WP_OPCODES * (unsigned)WP_METS * 2)
#define WP_POINTS         (WP_CALL_POINTS + WP_LEAF_POINTS + WP_MEETING_POINTS)

static inline size_t wp_call_point(enum wp_opcode opcode, pt_status status, unsigned height,
                                   unsigned size)
{
	return (((size_t)opcode * PT_STATUSES + status) * WP_HEIGHTS + height) * WP_SIZES + size;
}

static inline size_t wp_leaf_point(pt_flags flags, unsigned size)
{
	return WP_CALL_POINTS + (size_t)(flags % WP_FLAG_SETS) * WP_LEAF_SIZES + size;
}

static inline size_t wp_meeting_point(enum wp_opcode opcode, enum wp_met met, bool access)
{
	return WP_CALL_POINTS + WP_LEAF_POINTS + ((size_t)opcode * WP_METS + met) * 2 + access;
}

/* A set of points of one architecture. */
struct wp_points {
	uint8_t seen[(WP_POINTS + 7) / 8];
};

static inline bool wp_points_has(const struct wp_points *points, size_t point)
{
	return (points->seen[point / 8] >> point % 8 & 1) != 0;
}

/* Whether it is new. */
static inline bool wp_points_add(struct wp_points *points, size_t point)
{
	const bool is_new = !wp_points_has(points, point);

	points->seen[point / 8] |= (uint8_t)(1u << point % 8);
	return is_new;
}

/*
 * What there is to come to, by the contract: the statuses of an operation, flags that a
 * regime of the architecture can express in a leaf that it has, what an operation may
 * meet. (PT_MALFORMED is for damaged tables: no program comes to it.)
 */
bool wp_status_is_listed(enum wp_arch arch, enum wp_opcode opcode, pt_status status);
bool wp_leaf_is_possible(enum wp_arch arch, pt_flags flags, unsigned size);

/* Of leaves with that rank: "4K", or "4K/64K" where the regimes of an architecture differ. */
const char *wp_rank_name(enum wp_arch arch, unsigned rank);
bool wp_meeting_is_possible(enum wp_opcode opcode, enum wp_met met, bool access);

const char *wp_met_name(enum wp_met met);

/* What a call would meet now, as the model has it. */
struct wp_meeting wp_meet(const struct wp_regime *regime, const struct wp_model *model,
                          const struct wp_call *call);

/* The points that the call came to; returns how many. */
#define WP_POINTS_OF_A_CALL 3
size_t wp_points_of(const struct wp_regime *regime, const struct wp_model *model,
                    const struct wp_meeting *meeting, const struct wp_call *call, pt_status status,
                    size_t points[WP_POINTS_OF_A_CALL]);

#endif
