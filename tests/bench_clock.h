/* SPDX-License-Identifier: MIT */
/* Seconds, by the wall's clock and by the CPU's. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <time.h>

static inline double seconds_by(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double wall_seconds(void)
{
	return seconds_by(CLOCK_MONOTONIC);
}

/* Of this process: what else runs takes no part in it. */
static inline double cpu_seconds(void)
{
	return seconds_by(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
