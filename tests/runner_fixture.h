/* SPDX-License-Identifier: MIT */
/* What the tests that run whole programs share: one runner, and programs from text. */
#ifndef WP_RUNNER_FIXTURE_H
#define WP_RUNNER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run.h"

static struct wp_runner runner;
static struct wp_stats stats;

static inline int open_runner_for(const struct wp_subject *subject)
{
	char why[300];

	if (wp_runner_open(&runner, subject, &stats, why, sizeof why))
		return 0;
	print_error("%s\n", why);
	return -1;
}

static inline int open_runner(void **state)
{
	(void)state;
	return open_runner_for(&wp_library_subject);
}

static inline int close_runner(void **state)
{
	(void)state;
	wp_runner_close(&runner);
	return 0;
}

/* The lines are as in a file, from the first operation on. */
static inline void parse(struct wp_program *program, const char *regime, const char *operations)
{
	char text[1000], why[200];

	snprintf(text, sizeof text, "walkproof 1\nregime %s\n%s", regime, operations);
	if (!wp_program_parse(program, text, why, sizeof why))
		fail_msg("%s", why);
}

#endif
