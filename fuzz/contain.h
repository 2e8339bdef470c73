/* SPDX-License-Identifier: MIT */
/*
 * A program run in a process of its own, which it may end, or hang: so that crashes and
 * hangs are findings like any other, with a key, and can be shrunk.
 */
#ifndef WP_CONTAIN_H
#define WP_CONTAIN_H

#include "last_words.h"
#include "report.h"
#include "shrink.h"

struct wp_contained {
	struct wp_runner *runner;
	unsigned seconds;         /* that one operation may take */
	struct wp_damage *damage; /* NULL: none. Else runs are those of damage.h, and it moves */
	struct wp_contained_run *run;
	struct wp_words words;
};

/* False: `why` says what is missing. The runner stays the caller's. */
bool wp_contain_open(struct wp_contained *contained, struct wp_runner *runner, unsigned seconds,
                     char *why, size_t why_size);
void wp_contain_close(struct wp_contained *contained);

/*
 * Runs it, in a copy of this process as it is. True: it breaks nothing. Else `result`
 * has the key, that of wp_report_death() if it crashed or hung, and then `died`, which
 * may be NULL, is set. `settled` as in wp_run(), and may be NULL.
 */
bool wp_contain_run(struct wp_contained *contained, const struct wp_program *program,
                    struct wp_result *result, struct wp_program *settled, bool *died);

/* How the last one that died did; valid until the next run. */
const struct wp_report *wp_contain_death(const struct wp_contained *contained);

/* What came of wp_contain_run() or wp_contain_shrink(), as it is told. */
void wp_contain_report(const struct wp_contained *contained, const struct wp_program *program,
                       const struct wp_result *result, bool died, struct wp_report *report);

/* While shrinking: a program that hangs costs that, each time that it is run. */
#define WP_CONTAIN_SECONDS 1u
#define WP_CONTAIN_HANGS   60u

/*
 * wp_shrink() in a process of its own; if a candidate ends that, or hangs, each one is
 * given its own. `died`: what is left does so.
 */
bool wp_contain_shrink(struct wp_contained *contained, struct wp_program *program,
                       struct wp_result *result, size_t runs, bool *died);

#endif
