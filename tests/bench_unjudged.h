/* SPDX-License-Identifier: MIT */
/* The library alone: what no judge, however fast, can make a program cheaper than. */
#ifndef BENCH_UNJUDGED_H
#define BENCH_UNJUDGED_H

#include "program.h"

/* Seconds that the library takes for the programs' calls; no frame is refused. */
double bench_unjudged(const struct wp_program *programs, size_t count);

#endif
