/* SPDX-License-Identifier: MIT */
/*
 * Between run.c and run_*.c. A `hash` is the program's, by which one in so many is chosen;
 * `call` is the operation at hand, as it was resolved.
 */
#ifndef WP_RUN_PRIVATE_H
#define WP_RUN_PRIVATE_H

#include "run.h"

/* A cheap number that differs from operation to operation, and never from run to run. */
static inline uint64_t wp_run_salt(const struct wp_runner *runner)
{
	return (runner->op + 1) * 0x9e3779b97f4a7c15u >> 7;
}

/* NULL: stores aren't traced in this program. */
static inline const struct wp_trace *wp_run_trace(const struct wp_runner *runner)
{
	return runner->watch.on ? &runner->watch.trace : NULL;
}

/* --- run_platform.c --- */

struct pt_platform wp_run_platform(struct wp_runner *runner);

/* --- run_calls.c: status, outputs and frames, against the model --- */

void wp_run_call(struct wp_runner *runner, const struct wp_call *call);

/* --- run_profile.c: a subject that deviates --- */

/*
 * What the call must do; false: the subject's deviations leave it out. Then what the
 * subject did, if that is one of two outcomes that they allow: the verdict becomes that.
 */
bool wp_run_predict(struct wp_runner *runner, const struct wp_call *call,
                    struct wp_verdict *verdict);
void wp_run_follow(struct wp_runner *runner, const struct wp_call *call, struct wp_verdict *verdict,
                   pt_status *status);

/* Deviations: empty tables stay; a region that fails is done in part. */
bool wp_run_keeps_tables(const struct wp_runner *runner);
bool wp_run_keeps_parts(const struct wp_runner *runner, const struct wp_call *call);

/* --- run_count.c --- */

void wp_run_count(struct wp_runner *runner, const struct wp_call *call, pt_status status);

/* --- run_judge.c: L1, query() and the machines; L3, a TLB that never forgets --- */

/* Slow machines start, and prove themselves, as they are first needed: between programs. */
void wp_run_ready_slow(struct wp_runner *runner, uint64_t hash);

/* Whether a machine is asked about this program. */
bool wp_run_serves(const struct wp_runner *runner, size_t machine);

/* Around the call's range; and, as the program ends, of all that is mapped. */
void wp_run_judge_call(struct wp_runner *runner, const struct wp_call *call);
void wp_run_judge_all(struct wp_runner *runner);

/* The CPUs walk in the call's range, before it and at its flushes; then nothing may be stale. */
void wp_run_fill_tlbs(struct wp_runner *runner, const struct wp_call *call);
void wp_run_judge_tlbs(struct wp_runner *runner, const struct wp_call *call);

/* --- run_sweep.c: L1, all live mappings --- */

/* What the entries that were stored to translate is to be looked at by the next sweep. */
void wp_run_touch(struct wp_runner *runner, uint64_t first, uint64_t last);
void wp_run_sweep(struct wp_runner *runner, const struct wp_call *call);
void wp_run_sweep_all(struct wp_runner *runner, unsigned table);

/* --- run_warm.c: L3, the TLBs of emulated CPUs --- */

void wp_run_warm_start(struct wp_runner *runner, uint64_t hash);
void wp_run_warm_before(struct wp_runner *runner, const struct wp_call *call);
/* `va` NULL: of everything. */
void wp_run_warm_flush(struct wp_runner *runner, const uint64_t *va);
void wp_run_warm_after(struct wp_runner *runner);

/* --- run_stores.c: L4, a walk after every store --- */

void wp_run_watch_start(struct wp_runner *runner);
void wp_run_watch_begin(struct wp_runner *runner, const struct wp_call *call);
void wp_run_watch_store(struct wp_runner *runner, const void *at, uint64_t before, uint64_t after);
void wp_run_watch_end(struct wp_runner *runner);

/* Which tables a CPU may have loaded from now on; and one that goes. */
void wp_run_watch_roots(struct wp_runner *runner);
void wp_run_watch_forget(struct wp_runner *runner, unsigned table);

/* What every frame holds, as the program ends. */
void wp_run_watch_audit(struct wp_runner *runner);

/* --- run_break.c: L4, break-before-make --- */

void wp_run_judge_break(struct wp_runner *runner, const struct wp_place *place,
                        const struct wp_store *store);
/* `va` NULL: of everything. */
void wp_run_watch_flush(struct wp_runner *runner, const uint64_t *va);

/* --- run_walkers.c: L4, emulated CPUs between two stores --- */

void wp_run_walkers_start(struct wp_runner *runner, uint64_t hash);

/*
 * Where machines are asked about every program they are kept warm in it, and it is run
 * once more for them to walk between its stores: whether that is still to be done.
 */
bool wp_run_walkers_wait(const struct wp_runner *runner);

/* A store came to pass, after which the paper machine walked to those addresses. */
void wp_run_walkers_store(struct wp_runner *runner, unsigned table, const uint64_t *va,
                          size_t count, const struct wp_store *store);

/* --- run_frames.c: L3, L6, tables given back --- */

/* The frames of a call that ended so, and of which `before` were in use when it began. */
void wp_run_judge_frame_count(struct wp_runner *runner, pt_status status, size_t before);
/* What guest memory saw. */
void wp_run_judge_frames(struct wp_runner *runner);
void wp_run_judge_free(struct wp_runner *runner, uint64_t first, size_t count);
void wp_run_judge_fresh(struct wp_runner *runner);

/* Where a walk that went wrong went through a table that was given back, says so. */
void wp_run_name_freed(struct wp_runner *runner, uint64_t va, const struct wp_answer *answer);

/* --- run_accessed.c: L8, accessed and dirty bits --- */

void wp_run_accessed_before(struct wp_runner *runner, const struct wp_call *call);
void wp_run_accessed_storing(struct wp_runner *runner, const void *at);
/* unmap_region(), every other time in the form that tells of each leaf. */
pt_status wp_run_accessed_unmap_region(struct wp_runner *runner, const struct wp_call *call);
void wp_run_accessed_after(struct wp_runner *runner, const struct wp_call *call, pt_status status,
                           const struct pt_mapping *told);

/* --- run_harvest.c: L8 of harvest() --- */

void wp_run_harvest_before(struct wp_runner *runner, const struct wp_call *call);
void wp_run_harvest_storing(struct wp_runner *runner, uint64_t entry);
pt_status wp_run_harvest(struct wp_runner *runner, const struct wp_call *call);
void wp_run_harvest_flush(struct wp_runner *runner, const uint64_t *va);
void wp_run_harvest_after(struct wp_runner *runner, const struct wp_call *call, pt_status status);
/* The table's batch has ended, or the table. */
void wp_run_harvest_end_batch(struct wp_runner *runner, unsigned table, bool flushed);

#endif
