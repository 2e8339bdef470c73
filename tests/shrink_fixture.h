/* SPDX-License-Identifier: MIT */
/* What the tests of the shrinker share: a runner, and the bugs that are planted in the library. */
#ifndef WP_SHRINK_FIXTURE_H
#define WP_SHRINK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shrink.h"

/* Under sanitizers, which are slow, one bug in so many. */
#ifdef SANITIZED
#define ONE_IN 5u
#else
#define ONE_IN 1u
#endif

static struct wp_runner *runner;
static struct wp_stats stats;

static inline int open_runner(void **state)
{
	char why[200];

	(void)state;
	runner = malloc(sizeof *runner);
	assert_non_null(runner);
	assert_true(wp_runner_open(runner, &wp_library_subject, &stats, why, sizeof why));
	return 0;
}

static inline int close_runner(void **state)
{
	(void)state;
	wp_runner_close(runner);
	free(runner);
	return 0;
}

/* The regimes that a planted bug's backend is for. */
static inline void scope_of(const struct wp_subject *subject, struct wp_scope *scope)
{
	scope->count = 0;
	for (size_t i = 0; i < wp_regime_count; i++) {
		if (strcmp(wp_library_backend(&wp_regimes[i])->name, subject->backend->name) == 0)
			scope->regimes[scope->count++] = &wp_regimes[i];
	}
	assert_true(scope->count > 0);
}

/* It follows what a frame held before, wherever that leads; campaigns run it in a process apart. */
static const char ends_the_process[] = "x86-dirty-table";

#endif
