/* SPDX-License-Identifier: MIT */
/*
 * Makes a program that breaks a law simpler, as long as it breaks it in the same way:
 * the key of the finding stays. From big steps to small: operations, then what they are
 * given, then numbers. Each step is run, and kept only if the key is still the same.
 */
#ifndef WP_SHRINK_H
#define WP_SHRINK_H

#include "run.h"

/* Runs that shrinking may take, unless the caller knows better. */
#define WP_SHRINK_RUNS 4000u

/*
 * Who says whether a candidate breaks something, and what: `result` has the key and the
 * operation. `settled`, which may be NULL, gets the program as wp_run() settles it.
 */
struct wp_shrink_judge {
	bool (*breaks)(void *context, const struct wp_program *candidate, struct wp_result *result,
	               struct wp_program *settled);
	void *context;
};

/*
 * Settles `program`, so that no operation depends on those before it, and makes it
 * simpler in at most `runs` runs. The same program always shrinks to the same one.
 * `result` is that of what is left. False: the program breaks nothing, and is as it was.
 */
bool wp_shrink_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                  struct wp_result *result, size_t runs);

/*
 * Just the arguments: no operation goes. `result` is that of `program`. True: something
 * became simpler.
 */
bool wp_shrink_arguments_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                            struct wp_result *result, size_t runs);

/* wp_shrink_by(), with wp_run() as the judge. */
bool wp_shrink(struct wp_runner *runner, struct wp_program *program, struct wp_result *result,
               size_t runs);

#endif
