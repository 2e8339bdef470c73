/* SPDX-License-Identifier: MIT */
/*
 * Makes a program that breaks a law shorter, as long as it breaks it in the same
 * way: the key of the finding stays.
 */
#ifndef WP_SHRINK_H
#define WP_SHRINK_H

#include "run.h"

/* Runs that shrinking may take, unless the caller knows better. */
#define WP_SHRINK_RUNS 4000u

/*
 * Settles `program`, so that no operation depends on those before it, and takes
 * operations away from big chunks to single ones, in at most `runs` runs. The
 * same program always shrinks to the same one. `result` is that of what is left.
 * False: the program breaks nothing, and is as it was.
 */
bool wp_shrink(struct wp_runner *runner, struct wp_program *program, struct wp_result *result,
               size_t runs);

#endif
