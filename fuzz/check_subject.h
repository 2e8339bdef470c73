/* SPDX-License-Identifier: MIT */
/*
 * walkproof check, of a shared object: which deviations from the contract it needs for a
 * run to pass, with the shortest program that shows each, and what no deviation forgives.
 */
#ifndef WP_CHECK_SUBJECT_H
#define WP_CHECK_SUBJECT_H

#include <stdio.h>

#include "campaign.h"

/* Deviations that a finding needs: one, or two that need each other. */
struct wp_adoption {
	wp_profile added;
	struct wp_report report;
};

struct wp_bug {
	struct wp_report report;
	wp_profile hint; /* of a crash or hang: by which it isn't asked for; 0: by none */
};

#define WP_CHECK_BUGS 30

struct wp_check_subject {
	struct wp_subject *subject; /* its profile grows */
	const char *scope;          /* regimes, by name or beginning; NULL: all that it serves */
	const char *directory;      /* for reproducers */
	uint64_t seed, programs, seconds;
	unsigned without;
	FILE *progress; /* NULL: nobody is told what is being done */

	/* What came of it. */
	wp_profile declared;
	struct wp_adoption adoptions[WP_DEVIATIONS];
	size_t adoption_count;
	struct wp_bug bugs[WP_CHECK_BUGS];
	size_t bug_count;
	struct wp_stats stats; /* of the last run, which found nothing new */
	wp_profile masked; /* isn't asked for any more: it hangs, which costs seconds each time */
	bool interrupted;
};

/* False: it could not start; `why` says what is missing. */
bool wp_check_subject(struct wp_check_subject *check, char *why, size_t why_size);

/* What it lacks, and what can't be judged for that: a line each, none if it has all. */
void wp_check_print_offers(const struct wp_subject *subject, FILE *out);

/* The profile, the bugs, and whether it passes. */
void wp_check_print(const struct wp_check_subject *check, FILE *out);

/* What it declares and what it needs beside. */
static inline wp_profile wp_check_profile(const struct wp_check_subject *check)
{
	return check->subject->profile & ~check->masked;
}

/* Nothing was found that it doesn't declare. */
static inline bool wp_check_passes(const struct wp_check_subject *check)
{
	return check->adoption_count == 0 && check->bug_count == 0;
}

#endif
