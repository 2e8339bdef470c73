/* SPDX-License-Identifier: MIT */
/*
 * Runs programs on a subject and judges each operation: status, outputs and
 * frames against the model; translations against the model through query(), the
 * paper machine, and at the end (and at `probe`) every other machine.
 */
#ifndef WP_RUN_H
#define WP_RUN_H

#include "judge.h"
#include "program.h"
#include "subject.h"
#include "tlb.h"

#define WP_MAX_MACHINES 4

/* Where programs' frames lie, in guest physical addresses. */
#define WP_WINDOW_BASE   0x40000000u
#define WP_WINDOW_FRAMES 4096u

/* Operation x status x leaf level, hashed by regime: what a run has shown. */
#define WP_BEHAVIOURS 65536u

struct wp_machine_stats {
	const char *name;
	uint64_t asked; /* probes: an address and a kind */
	uint64_t answered;
};

struct wp_stats {
	uint64_t programs;
	uint64_t operations; /* that the subject was given */
	uint64_t succeeded;
	uint64_t skipped; /* no table: its frames were refused */
	uint64_t queries;
	uint64_t statuses[WP_OPCODES][PT_STATUSES];
	uint64_t leaves[5]; /* created by map, by level from the last: 4K, 2M, 1G, 512G, 256T */
	uint64_t flushes, full_flushes;
	uint64_t behaviours;
	struct wp_machine_stats machines[WP_MAX_MACHINES];
	uint8_t behaviour_seen[WP_BEHAVIOURS / 8];
};

/* A finding with where it was: operation `op` of the program (or its end). */
struct wp_result {
	struct wp_finding finding;
	size_t op; /* == program->count: at the end */
	enum wp_opcode opcode;
	char key[96]; /* arch-law-operation-kind */
};

struct wp_runner {
	const struct wp_subject *subject;
	struct wp_instance *instance;
	struct wp_memory memory;
	struct wp_model *model;
	struct wp_machine *machines[WP_MAX_MACHINES]; /* beside the paper machine */
	size_t machine_count;
	struct pt_platform platform;
	struct wp_stats *stats;

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
	bool ignoring; /* pending flushes are dropped on purpose */
	uint32_t op;
	size_t operations;  /* of the whole program */
	uint32_t *frame_op; /* the operation during which each frame was handed out */
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

/* Adds `other` to `stats`. */
void wp_stats_add(struct wp_stats *stats, const struct wp_stats *other);

/* --- between run.c, run_calls.c and run_judge.c --- */

void wp_run_call(struct wp_runner *runner, const struct wp_call *call);
void wp_run_judge_call(struct wp_runner *runner, const struct wp_call *call);
void wp_run_judge_all(struct wp_runner *runner);
void wp_run_warm(struct wp_runner *runner, const struct wp_call *call);
void wp_run_judge_tlbs(struct wp_runner *runner, const struct wp_call *call);
void wp_run_count(struct wp_runner *runner, const struct wp_call *call, pt_status status);

#endif
