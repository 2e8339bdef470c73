/* SPDX-License-Identifier: MIT */
/*
 * L2: a program again and again, each time with another of its allocations refused:
 * once, and with all that come after. Each run is a program of its own, `refuse` and
 * then the operations, which the model predicts and the judge judges as any other;
 * so what breaks a law is kept, replayed and shrunk as any other.
 */
#ifndef WP_REFUSALS_H
#define WP_REFUSALS_H

#include "run.h"

/* Which allocations of a program are refused, one after another. */
struct wp_refusal_plan {
	size_t dense;  /* every one of the first so many... */
	size_t sparse; /* ...and of those beyond at most so many, at equal distances */
};

/* Every allocation of nearly any program that there is. */
extern const struct wp_refusal_plan wp_refuse_all;

/* What a sweep came to. */
struct wp_refusals {
	size_t allocations; /* of the program, when none is refused */
	size_t points;      /* allocations that were refused: less, if the plan is sparse */
	size_t runs;
};

/*
 * Runs `program` without refusals of its own, then with those of the plan. Emulated
 * machines are left out: what they could add is the same in every run. True: no
 * finding. Else `result` is that of `refused`, which is the program that was run
 * last. A program of WP_PROGRAM_MAX_OPS loses its last operation.
 */
bool wp_refuse_each(struct wp_runner *runner, const struct wp_program *program,
                    const struct wp_refusal_plan *plan, struct wp_program *refused,
                    struct wp_result *result, struct wp_refusals *count);

/*
 * For campaigns: a few allocations of one program in WP_REFUSE_ONE_IN, if the check
 * is on. Which, is a property of the program alone.
 */
#define WP_REFUSE_ONE_IN 64u
bool wp_refuse_some(struct wp_runner *runner, const struct wp_program *program,
                    struct wp_program *refused, struct wp_result *result);

#endif
