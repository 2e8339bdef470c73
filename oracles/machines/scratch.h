/* SPDX-License-Identifier: MIT */
/*
 * Tables built by hand in frames of guest memory, for showing what a machine does:
 * the self-test that each must pass, and the quirks.
 */
#ifndef WP_SCRATCH_H
#define WP_SCRATCH_H

#include <stdio.h>

#include "../machine.h"

#define WP_SCRATCH_LEVELS 5

/*
 * A chain of tables from a root down to an empty last entry, all of which lead
 * to `va`; every other entry is empty.
 */
struct wp_scratch {
	struct wp_machine *machine;
	const struct wp_regime *regime;
	uint64_t va;
	uint64_t page;                      /* a frame for leaves that point into the window */
	uint64_t frame[WP_SCRATCH_LEVELS];  /* the table of each level */
	uint64_t *entry[WP_SCRATCH_LEVELS]; /* the entry for `va` in each table */
	size_t held;
	size_t allocations; /* the memory's counters from before */
	size_t refusals;
};

/* Loads the root too. False: the memory has no frames left for it. */
bool wp_scratch_open(struct wp_scratch *scratch, struct wp_machine *machine,
                     const struct wp_regime *regime);

/* Frames and counters are as before; the machine must be loaded anew. */
void wp_scratch_close(struct wp_scratch *scratch);

/* An entry of the last level. */
uint64_t *wp_scratch_last(const struct wp_scratch *scratch);

/* Entries of the regime's architecture; A and D are set in leaves. */
uint64_t wp_scratch_table_entry(const struct wp_scratch *scratch, uint64_t pa);
uint64_t wp_scratch_leaf_entry(const struct wp_scratch *scratch, unsigned level, uint64_t pa,
                               pt_flags flags);

/* A leaf at the last level. */
void wp_scratch_map(const struct wp_scratch *scratch, uint64_t pa, pt_flags flags);

/*
 * One access to `va`, through what the TLB holds if the machine has one. False:
 * denied, or not answered.
 */
bool wp_scratch_translate(const struct wp_scratch *scratch, enum wp_kind kind, uint64_t *pa);

/*
 * Reads, takes the last entry away, and reads again: whether the TLB has kept what it led
 * to, which a flush may then take away.
 */
bool wp_scratch_is_kept(const struct wp_scratch *scratch);

/* One access through an empty TLB, and all that the machine says of it. */
struct wp_answer wp_scratch_ask(const struct wp_scratch *scratch, enum wp_kind kind);

/* To the same tables through another entry of a root that serves both halves. */
void wp_scratch_move(struct wp_scratch *scratch, uint64_t index);

/*
 * From now on each such access is printed: its tables, what the machine did and what
 * the manual says, and the entries that the access changed. NULL: no longer.
 */
void wp_scratch_trace(FILE *out);

/* A line of that for what goes beyond it, and the line of the tables. */
__attribute__((format(printf, 1, 2))) void wp_scratch_note(const char *format, ...);
void wp_scratch_note_tables(const struct wp_scratch *scratch);

/* Shows a quirk on tables for `regime`; false if there is no memory for them. */
bool wp_scratch_shows(struct wp_machine *machine, const char *regime,
                      bool (*shows)(struct wp_scratch *scratch));

/* What any machine must show before it serves: see wp_machine.self_test. */
bool wp_machine_self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                          size_t why_size);

#endif
