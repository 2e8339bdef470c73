/* SPDX-License-Identifier: MIT */
/*
 * The G-stages under the tested tables on RISC-V: one that is empty at first and gets
 * what walks need, and one that maps the whole window. Neither lets anything execute.
 */
#ifndef WP_STAGE_RISCV64_H
#define WP_STAGE_RISCV64_H

#include <stdbool.h>

#include "walker.h"

/* Only the first call counts: a window never moves. */
void wp_stage_set_window(uint64_t base, uint64_t frames);

/* From now on. */
void wp_stage_use(bool whole);
bool wp_stage_is_whole(void);

/* Another G-stage is in its place until the next wp_stage_use(). */
void wp_stage_replace(uint64_t hgatp);

/* Whether a store may go through. */
bool wp_stage_may_write(void);

/*
 * For a walk that reads the entry at `pa`, or sets A or D in it. False: that isn't in
 * the window, or isn't new.
 */
bool wp_stage_let_in(uint64_t pa, bool update);

/* Nothing is let in any more. */
void wp_stage_clear(void);

void wp_fence_all(void);

_Noreturn void wp_riscv64_panic(uint64_t cause, uint64_t pc, uint64_t value, uint64_t value2);

#endif
