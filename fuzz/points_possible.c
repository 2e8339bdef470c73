/* SPDX-License-Identifier: MIT */
/* Which coverpoints there are to reach: the contract, restated once more. */
#include "points.h"

#include <string.h>

#include "operands.h"

#define BIT(n) (1u << (n))

enum {
	ADDRESS = BIT(PT_OK) | BIT(PT_BAD_ADDRESS),
	LEAF = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_NOT_MAPPED),
	NEW = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_BAD_SIZE) |
	      BIT(PT_BAD_FLAGS) | BIT(PT_ALREADY_MAPPED) | BIT(PT_MAPPED_TO_HUGE_PAGE) |
	      BIT(PT_NO_MEMORY),
	REGION = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_BAD_SIZE) |
	         BIT(PT_NO_MEMORY),
	SLOTS = ADDRESS | BIT(PT_NOT_ALIGNED) | BIT(PT_BAD_SIZE),
};

enum {
	HOLE = BIT(WP_MET_HOLE),
	THERE = BIT(WP_MET_LEAF) | BIT(WP_MET_NO_ACCESS),
	LARGER = BIT(WP_MET_LARGER),
	TABLE = BIT(WP_MET_TABLE),
};

/* What an operation may return, and what it may meet. */
static const struct {
	uint16_t statuses;
	uint8_t meetings;
} rules[WP_OPCODES] = {
	[WP_OP_MAP] = {NEW, HOLE | THERE | LARGER | TABLE},
	[WP_OP_UNMAP] = {LEAF, HOLE | THERE},
	[WP_OP_PROTECT] = {LEAF | BIT(PT_BAD_FLAGS), HOLE | THERE},
	[WP_OP_REMAP] = {LEAF | BIT(PT_BAD_FLAGS), HOLE | THERE},
	[WP_OP_QUERY] = {ADDRESS | BIT(PT_NOT_MAPPED), HOLE | THERE},
	[WP_OP_MAP_REGION] = {NEW, HOLE | THERE | LARGER},
	[WP_OP_MAP_REGION_WITH] = {NEW, HOLE | THERE | LARGER},
	[WP_OP_UNMAP_REGION] = {REGION | BIT(PT_NOT_MAPPED), HOLE | THERE | LARGER},
	[WP_OP_PROTECT_REGION] = {REGION | BIT(PT_BAD_FLAGS), HOLE | THERE | LARGER},
	[WP_OP_HARVEST] = {(REGION | BIT(PT_BAD_FLAGS)) & ~BIT(PT_NO_MEMORY),
                           HOLE | THERE | LARGER},
	[WP_OP_WALK] = {BIT(PT_OK), 0},
	[WP_OP_COPY_FROM] = {SLOTS | BIT(PT_BORROWED), HOLE | THERE | LARGER},
	[WP_OP_GIVE_BACK] = {SLOTS, HOLE | THERE | LARGER},
	[WP_OP_BATCH] = {BIT(PT_OK), 0},
	[WP_OP_FLUSH] = {BIT(PT_OK), 0},
	[WP_OP_FLUSH_ALL] = {BIT(PT_OK), 0},
	[WP_OP_IGNORE] = {BIT(PT_OK), 0},
	/* of its two calls, destroy(); where create() gets no frame, operations are skipped */
	[WP_OP_RENEW] = {BIT(PT_OK) | BIT(PT_BORROWED), 0},
};

/* All regimes of an architecture record the same. */
static bool records(enum wp_arch arch)
{
	size_t i = 0;

	while (wp_regimes[i].arch != arch)
		i++;
	return wp_uses_recorded(&wp_regimes[i]) != 0;
}

/* Where a CPU records nothing, a harvest comes no further than to what it is asked for. */
bool wp_status_is_listed(enum wp_arch arch, enum wp_opcode opcode, pt_status status)
{
	if (opcode == WP_OP_HARVEST && (status == PT_OK || status == PT_BORROWED) && !records(arch))
		return false;
	return (rules[opcode].statuses >> status & 1) != 0;
}

bool wp_leaf_is_possible(enum wp_arch arch, pt_flags flags, unsigned size)
{
	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_regime *regime = &wp_regimes[i];

		if (regime->arch == arch &&
		    (regime->leaf_sizes & wp_unit_bytes(regime, size)) != 0 &&
		    wp_flags_expressible(regime, flags))
			return true;
	}
	return false;
}

const char *wp_rank_name(enum wp_arch arch, unsigned rank)
{
	static char text[40];
	const char *last = NULL;

	text[0] = '\0';
	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_regime *regime = &wp_regimes[i];
		const char *name = wp_unit_name(regime, rank);

		if (regime->arch != arch || name == last ||
		    (regime->leaf_sizes & wp_unit_bytes(regime, rank)) == 0)
			continue;
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
		         last != NULL ? "/" : "", name);
		last = name;
	}
	return text;
}

bool wp_meeting_is_possible(enum wp_opcode opcode, enum wp_met met, bool access)
{
	return (rules[opcode].meetings >> met & 1) != 0 &&
	       (!access || (wp_opcode_shapes[opcode].operands & WP_ARG_FLAGS) != 0);
}

const char *wp_met_name(enum wp_met met)
{
	static const char *const names[WP_METS] = {
		"nothing", "hole", "table", "leaf", "no-access leaf", "larger leaf",
	};

	return names[met];
}
