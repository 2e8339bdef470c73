/* SPDX-License-Identifier: MIT */
/*
 * L7, widened: tables that the library made are damaged, as an attacker or a bad
 * memory cell would, and then it goes on with them. There is no model any more of
 * what is right; what must hold all the same:
 *
 * - No call, harvest() included, crashes, hangs, or stores outside of frames that are
 *   handed out; query() and walk() store nowhere.
 * - A call that doesn't return PT_OK has stored nothing, flushed nothing, and kept no
 *   frame; and its status is one that the contract has for it.
 * - PT_MALFORMED: where an entry on the way to an address is malformed by query(),
 *   every call that changes something there says so, unless a status that comes
 *   first applies. Where a table lies outside of memory, query() says so.
 * - After PT_OK of a call on one leaf the leaf is there exactly as asked for, and the
 *   CPU agrees: if not one store can reach two levels of the way at once.
 * - query() and every machine agree, as on any memory (laws/arbitrary.h).
 *
 * Who owns a table is not in its format: calls that free whole tables unseen (destroy,
 * copy_from, give_back) are left out, and the tables are not destroyed at the end.
 */
#ifndef WP_DAMAGE_H
#define WP_DAMAGE_H

#include "run.h"
#include "shrink.h"

/* Beside the program, all that a run depends on. */
struct wp_damage {
	size_t at;     /* operations before it */
	uint64_t seed; /* which entries are damaged, and how */
};

/* As bytes, in front of a program's: `at`, and four of the seed. */
#define WP_DAMAGE_HEAD 5u

struct wp_damage_stats {
	uint64_t runs;
	uint64_t flips;      /* bits turned */
	uint64_t broke;      /* damaged addresses that went from a mapping to none... */
	uint64_t moved;      /* ...to another mapping, or from none to one... */
	uint64_t same;       /* ...and that mean the same as before */
	uint64_t operations; /* after the damage */
	uint64_t malformed;  /* of those: PT_MALFORMED... */
	uint64_t changed;    /* ...PT_OK, and something was stored... */
	uint64_t unchanged;  /* ...and anything else */
	uint64_t exact;      /* changed, and found exactly as asked for */
	uint64_t agreements; /* addresses on which query() and the paper machine agreed */
	uint64_t answers;    /* addresses on which a fast machine did too */
};

/* Fast machines of the runner are asked. True: no finding. */
bool wp_damage_run(struct wp_runner *runner, const struct wp_program *program,
                   const struct wp_damage *damage, struct wp_damage_stats *stats,
                   struct wp_result *result);

/* As wp_shrink(); `damage` moves with the operations. */
void wp_damage_shrink(struct wp_runner *runner, struct wp_program *program,
                      struct wp_damage *damage, struct wp_result *result, size_t runs);

/* As wp_shrink_by(), for a judge that damages tables as `damage` has it at each call. */
void wp_damage_shrink_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                         struct wp_damage *damage, struct wp_result *result, size_t runs);

/* For campaigns: one program in WP_DAMAGE_ONE_IN, if the check is on; sets `damage`. */
#define WP_DAMAGE_ONE_IN 32u
bool wp_damage_some(struct wp_runner *runner, const struct wp_program *program,
                    struct wp_damage *damage, struct wp_result *result);

#endif
