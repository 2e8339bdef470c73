/* SPDX-License-Identifier: MIT */
/* The checks that cost something of their own: each can be switched off. */
#ifndef WP_CHECKS_H
#define WP_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

enum wp_check {
	WP_CHECK_STALE,    /* L3: a model of the worst TLB that there could be */
	WP_CHECK_WARM,     /* L3: the TLBs of emulated CPUs */
	WP_CHECK_FRAMES,   /* L3, L6: frames freed too early, still linked, not zeroed */
	WP_CHECK_STORES,   /* L4: a walk after every store */
	WP_CHECK_READING,  /* L5: tables are read-only while they are only read */
	WP_CHECK_REFUSALS, /* L2: each allocation refused in turn */
	WP_CHECK_DAMAGE,   /* L7: tables that were damaged are worked on */
	WP_CHECK_ACCESSED, /* L8: accessed and dirty bits that a CPU sets */
	WP_CHECKS,
};

#define WP_ALL_CHECKS ((1u << WP_CHECKS) - 1)

const char *wp_check_name(enum wp_check check);

/*
 * "-warm", "+stale", "all", "none" or "stale,warm" (just these), applied to `checks`.
 * False: a name that isn't one; `why` lists those that are.
 */
bool wp_checks_parse(const char *text, unsigned *checks, char *why, size_t why_size);

#endif
