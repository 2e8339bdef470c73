/* SPDX-License-Identifier: MIT */
/* What the targets on programs share. */
#ifndef WP_TARGET_H
#define WP_TARGET_H

#include "program.h"
#include "run.h"

/* What an engine calls: libFuzzer, or the driver in standalone.c. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/*
 * For inputs under the regimes whose names start with `prefix`. Every machine
 * proves itself first; if one can't, says so in a line and ends the process with
 * exit code 2.
 */
void wp_target_open(const char *prefix);

/*
 * Runs the program that `bytes` decode to (or that they are the text of) on the
 * library. On a finding prints its key, the law, the sentence and the program,
 * and aborts.
 */
void wp_target_run(const uint8_t *bytes, size_t size);

/* What wp_target_open() opened. */
struct wp_runner *wp_target_runner(void);
const struct wp_scope *wp_target_scope(void);

/* WALKPROOF_SUBJECT: a planted bug, in those regimes that it is for, which the scope keeps. */
const struct wp_subject *wp_target_subject(struct wp_scope *scope);

/* So many runs that shrinking is over before an engine takes it for a hang. */
#define WP_TARGET_SHRINK_RUNS 1000u

/* How often the input at hand came to each coverpoint of its architecture; see points.h. */
extern uint8_t wp_target_counters[WP_POINTS];

/* How many coverpoints programs have come to: what an engine without coverage goes by. */
uint64_t wp_target_points(void);

/*
 * For engines that compare what inputs show: forgets what came before. And for those that
 * copy the process: the memory, which copies share, may be as a copy left it that ended in
 * the middle of an input.
 */
void wp_target_settle(void);
void wp_target_settle_by(void (*function)(void)); /* of targets that don't run programs */
void wp_target_forked(void);

/* The same end for any finding: prints all but the program. */
void wp_target_say(const char *key, const struct wp_finding *finding);

/* One line, then exit code 2. */
void wp_target_refuse(const char *why) __attribute__((noreturn));

/*
 * The machines that WALKPROOF_WITHOUT names, such as "qemu kvm", as bits: the engines
 * have all of the arguments for themselves.
 */
unsigned wp_target_left_out(void);

#endif
