/* SPDX-License-Identifier: MIT */
/* A finding as it is told: its key, the law, the sentence, and the program that shows it. */
#ifndef WP_REPORT_H
#define WP_REPORT_H

#include "damage.h"
#include "run.h"

struct wp_report {
	char key[96];
	char law[64];
	char sentence[440];
	size_t op; /* == program.count: at the end */
	struct wp_program program;
	bool damaged; /* ...and then its tables, in this way */
	struct wp_damage damage;
};

/* A law broken. */
void wp_report_finding(struct wp_report *report, const struct wp_program *program,
                       const struct wp_result *result);

/*
 * The process that ran `program` died with `status`, as waitpid() has it, or was
 * killed because it had hung for `hung` seconds. `result` is what it had got to.
 */
void wp_report_death(struct wp_report *report, const struct wp_program *program,
                     const struct wp_result *result, int status, unsigned hung);

/* It is of a run on tables that were damaged in this way: wp_damage_run(). NULL: it isn't. */
void wp_report_damage(struct wp_report *report, const struct wp_damage *damage);

/*
 * The virtual addresses that it is about: what its sentence names, as far as an operation
 * is about it, then those of the last operations. For a program that is settled.
 */
size_t wp_report_addresses(const struct wp_report *report, uint64_t *va, size_t most);

/* --- for whoever watches a process that runs programs --- */

/* No program takes this long. */
#define WP_HANG_SECONDS 10

uint64_t wp_nanoseconds(void);

struct wp_watch {
	uint64_t beat;
	uint64_t since;
};

/* Whether `beat`, which counts programs, has stood still for so many seconds. */
bool wp_watch_stalled(struct wp_watch *watch, uint64_t beat, unsigned seconds);

#endif
