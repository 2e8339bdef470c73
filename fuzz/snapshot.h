/* SPDX-License-Identifier: MIT */
/*
 * The entries of a table at one moment, as a CPU would find them, and what changed from
 * one moment to another. Reads memory alone: the subject, which may be wrong, isn't asked.
 */
#ifndef WP_SNAPSHOT_H
#define WP_SNAPSHOT_H

#include <stdio.h>

#include "entry.h"
#include "machine.h"

struct wp_snapshot_entry {
	unsigned level, index;
	uint64_t va, value;
	enum wp_entry_kind kind;
	uint64_t to;
	struct wp_answer answer; /* at va, of a leaf... */
	bool accessed, dirty;    /* ...and what a CPU recorded in it */
};

struct wp_snapshot {
	struct wp_snapshot_entry *entries; /* those that aren't empty, in address order */
	size_t count, room;
};

/* False: out of memory. `snapshot` is zero before; free it after. */
bool wp_snapshot_take(struct wp_snapshot *snapshot, const struct wp_regime *regime,
                      const struct wp_memory *memory, uint64_t root);
void wp_snapshot_free(struct wp_snapshot *snapshot);

bool wp_snapshot_changed(const struct wp_snapshot *before, const struct wp_snapshot *after,
                         const struct wp_regime *regime);

/* How to mark what is printed; all "" for plain text. */
struct wp_colours {
	const char *bold, *gone, *come, *dim, *off;
};

/*
 * The entries that changed, `-` before and `+` after, below those that lead to them, and
 * one of the others on each side; all else is folded. If none did: those on the way to
 * `va`.
 */
void wp_snapshot_compare(const struct wp_snapshot *before, const struct wp_snapshot *after,
                         const struct wp_regime *regime, uint64_t va,
                         const struct wp_colours *colours, FILE *out);

/* "table at 0x1000", "-> 0x2000  4K  kernel r--, user ---, normal", "not present", "empty". */
#define WP_MEANING 96
const char *wp_entry_meaning(const struct wp_snapshot_entry *entry, char text[WP_MEANING]);

/* The entry of that level on the way to `va`; NULL: it is empty, or not reached. */
const struct wp_snapshot_entry *wp_snapshot_find(const struct wp_snapshot *snapshot,
                                                 const struct wp_regime *regime, unsigned level,
                                                 uint64_t va);

#endif
