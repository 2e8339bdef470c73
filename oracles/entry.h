/* SPDX-License-Identifier: MIT */
/*
 * What one entry means to a CPU, as far as a history of stores needs it: where it
 * leads. Written from the manuals that machines/paper.h names; the walks there say
 * the rest.
 */
#ifndef WP_ENTRY_H
#define WP_ENTRY_H

#include "memory.h"
#include "regime.h"

enum wp_entry_kind {
	WP_ENTRY_INVALID, /* or it may be, as far as is looked at here */
	WP_ENTRY_TABLE,
	WP_ENTRY_LEAF,
};

/* `to`: the physical address of the table or of the page. `level` 0 is the root's. */
enum wp_entry_kind wp_entry_read(const struct wp_regime *regime, unsigned level, uint64_t entry,
                                 uint64_t *to);

/* The bits that a CPU writes by itself: accessed and dirty. */
uint64_t wp_entry_written_by_cpu(const struct wp_regime *regime);

/*
 * Whether replacing a valid leaf by another of the same size needs an invalid entry
 * and a flush in between: Arm ARM D8 "Using break-before-make when updating
 * translation table entries". Other architectures don't ask for it.
 */
bool wp_entry_must_break(const struct wp_regime *regime, uint64_t before, uint64_t after);

/* A leaf at every level where the architecture lets one value be that; see memory.h. */
struct wp_poison wp_entry_poison(const struct wp_regime *regime);

#endif
