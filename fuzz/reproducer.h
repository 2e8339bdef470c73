/* SPDX-License-Identifier: MIT */
/* What is left of a finding on disk, and how it is told: few lines. */
#ifndef WP_REPRODUCER_H
#define WP_REPRODUCER_H

#include "report.h"

struct wp_reproducer {
	char program[4200]; /* the path of the text program; "": it could not be written */
	char c[4200];       /* of the stand-alone C file; "": there is none... */
	char why_no_c[200]; /* ...and why */
};

/*
 * Writes DIRECTORY/KEY-HASH.wp and .c. What can't be written goes to standard error
 * instead, so that nothing is lost.
 */
void wp_reproducer_save(const char *directory, const struct wp_report *report,
                        const struct wp_subject *subject, struct wp_reproducer *saved);

/* The key, the sentence, the paths, and the command that replays it. */
void wp_reproducer_tell(const struct wp_reproducer *saved, const struct wp_report *report,
                        const struct wp_subject *subject, FILE *out);

#endif
