/* SPDX-License-Identifier: MIT */
/* The checks that cost something of their own: each can be switched off. */
#ifndef WP_CHECKS_H
#define WP_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

enum wp_check {
	WP_CHECK_STALE, /* L3: a TLB that never forgets by itself */
	WP_CHECK_WARM,  /* L3: the TLBs of emulated CPUs */
	WP_CHECKS,
};

#define WP_ALL_CHECKS ((1u << WP_CHECKS) - 1)

/*
 * "-warm", "+stale", "all", "none" or "stale,warm" (just these), applied to `checks`. False: a name that isn't one; `why` lists those that are.
 */
bool wp_checks_parse(const char *text, unsigned *checks, char *why, size_t why_size);

#endif
