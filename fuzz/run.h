/* SPDX-License-Identifier: MIT */
/*
 * Runs programs on a subject and judges each operation: status, outputs and
 * frames against the model; translations against the model through query(), the
 * paper machine, and at the end (and at `probe`) every other machine.
 */
#ifndef WP_RUN_H
#define WP_RUN_H

#include "checks.h"
#include "judge.h"
#include "points.h"
#include "program.h"
#include "reading.h"
#include "result.h"
#include "run_accessed.h"
#include "run_watch.h"
#include "subject.h"
#include "tlb.h"

#define WP_MAX_MACHINES 10 /* paper, and the others of all architectures */

/* Slow machines are asked about one program in so many, as a rule. */
#define WP_SAMPLE 64u

struct wp_machine_stats {
	const char *name;
	uint64_t asked; /* probes: an address and a kind */
	uint64_t answered;
	uint64_t warm;    /* answered through a TLB that only the subject flushes */
	uint64_t between; /* answered between two stores of an operation */
};

/* Leaves that harvests told of, and what of them. */
struct wp_harvested {
	uint64_t leaves, accessed, dirty;
};

struct wp_stats {
	uint64_t programs;
	uint64_t operations; /* that the subject was given */
	uint64_t succeeded;
	uint64_t skipped; /* no table: its frames were refused */
	uint64_t lacking; /* the subject has no such call */
	uint64_t unasked; /* its deviations leave them out */
	uint64_t queries;
	uint64_t statuses[WP_OPCODES][PT_STATUSES];
	uint64_t leaves[5]; /* created by map, by level from the last: 4K, 2M, 1G, 512G, 256T */
	uint64_t flushes, full_flushes;
	struct wp_harvested harvested[WP_ARCHS];
	uint64_t changed_leaves; /* stores by which a leaf came, went or became another */
	struct wp_points points[WP_ARCHS];
	uint64_t point_count;
	struct wp_machine_stats machines[WP_MAX_MACHINES];
};

/* What emulated CPUs have accessed, and must not find changed without a flush. */
#define WP_WARM_ADDRESSES 6
struct wp_warm {
	unsigned machines; /* bits: those whose TLB is kept warm in this program */
	uint64_t root;     /* that they run on; 0: none yet */
	size_t count, next;
	uint64_t va[WP_WARM_ADDRESSES];
};

/*
 * Where translations may have changed since all live mappings were right: what the
 * entries that were stored to translate.
 */
#define WP_TOUCHED 16
struct wp_touched {
	bool all;
	size_t count;
	struct {
		uint64_t first, last;
	} at[WP_TOUCHED];
};

/* Where a subject may have tables that nothing maps any more; see run_profile.c. */
#define WP_STAYED WP_PROGRAM_MAX_OPS
struct wp_stayed {
	size_t count;
	struct {
		uint64_t first, last, leaf;
	} at[WP_STAYED];
};

/* Emulated CPUs that walk between stores. */
#define WP_WALKED 7 /* addresses, after one store */
struct wp_walkers {
	unsigned machines; /* bits: those that do in this program */
	bool turn;         /* the program is run again for them; see wp_run_walkers_wait() */
};

struct wp_runner {
	const struct wp_subject *subject;
	struct wp_instance *instance;
	struct wp_memory memory;
	struct wp_model *model;
	struct wp_machine *machines[WP_MAX_MACHINES]; /* beside the paper machine */
	size_t machine_count;
	uint32_t proven[WP_MAX_MACHINES]; /* slow machines': a bit for each regime */
	unsigned checks;                  /* bits of enum wp_check */
	unsigned sample;                  /* 0 and 1: slow machines are asked every time */
	bool fast_only;                   /* slow machines are asked about no program */
	bool varies_all; /* every program is refused and damaged, not one in so many */
	struct pt_platform platform;
	struct wp_reading reading; /* through which the subject only reads */
	struct wp_stats *stats;
	uint8_t *point_counters; /* WP_POINTS of them, for an engine; may be NULL */

	/* of the program at hand */
	const struct wp_regime *regime;
	struct wp_result *result;
	struct wp_tlb tlbs[WP_MODEL_TABLES];
	bool batched[WP_MODEL_TABLES];
	bool lent;        /* the tables have shared something */
	size_t waiting;   /* frames unlinked by batches, not yet free */
	uint64_t stores;  /* seen through the hook */
	uint64_t flushes; /* of any kind */
	uint64_t stores_at_flush;
	bool ignoring;  /* pending flushes are dropped on purpose */
	bool asks_slow; /* this program is one of the sample */
	struct wp_warm warm;
	struct wp_walkers walkers;
	struct wp_store_watch watch;
	struct wp_accessed accessed;
	struct wp_harvest harvest;
	struct wp_unflushed unflushed;
	uint32_t op;
	const struct wp_call *call; /* NULL: none is at hand */
	struct wp_touched touched;
	struct wp_meeting meeting; /* of the call at hand */

	/* of a subject with deviations */
	struct wp_model *before, *aside; /* NULL: it has none */
	struct wp_call asked;            /* as the subject is given it */
	size_t available;                /* frames, before it */
	size_t kept;                     /* that calls which failed have left */
	struct wp_stayed stayed;

	struct wp_addresses addresses;
	struct wp_probe probes[WP_MAX_ADDRESSES];
	struct wp_answer answers[WP_MAX_ADDRESSES];
};

/* False: `why` says what is missing. Machines are the caller's to add and close. */
bool wp_runner_open(struct wp_runner *runner, const struct wp_subject *subject,
                    struct wp_stats *stats, char *why, size_t why_size);
void wp_runner_close(struct wp_runner *runner);

/* The subject's instance is replaced; for running planted bugs one after another. */
bool wp_runner_use(struct wp_runner *runner, const struct wp_subject *subject);

/*
 * NULL is no machine. A slow one proves itself, for each regime, when it is first
 * asked; all others must have done so.
 */
void wp_runner_add(struct wp_runner *runner, struct wp_machine *machine);

/*
 * Runs one program. True: no finding. With `settled` not NULL, the operations as
 * they were worked out are stored there: the same program, but depending on
 * nothing that came before.
 */
bool wp_run(struct wp_runner *runner, const struct wp_program *program, struct wp_result *result,
            struct wp_program *settled);

/*
 * The same, but stops after `stop` operations with the tables as they are, for
 * looking at them; call wp_run_finish() then.
 */
bool wp_run_until(struct wp_runner *runner, const struct wp_program *program, size_t stop,
                  struct wp_result *result);
void wp_run_finish(struct wp_runner *runner);

/* Whether that check is switched on. */
static inline bool wp_run_checks(const struct wp_runner *runner, enum wp_check check)
{
	return (runner->checks >> check & 1) != 0;
}

/* Adds `other` to `stats`. */
void wp_stats_add(struct wp_stats *stats, const struct wp_stats *other);

#endif
