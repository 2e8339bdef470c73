/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contain.h"
#include "damage.h"
#include "machine_set.h"
#include "program_edit.h"
#include "refusals.h"
#include "shrink.h"

/* ---- which programs ---- */

/* The row that had least time; row_count: every program is taken. */
static size_t poorest_row(const struct wp_campaign *campaign, const struct wp_worker *worker)
{
	size_t best = campaign->row_count;

	for (size_t row = 0; row < campaign->row_count; row++) {
		if (atomic_load(&campaign->board->taken[row]) >= campaign->programs)
			continue;
		if (best == campaign->row_count || worker->time[row] < worker->time[best])
			best = row;
	}
	return best;
}

static bool take_chunk(const struct wp_campaign *campaign, struct wp_worker *worker)
{
	for (;;) {
		const size_t row = poorest_row(campaign, worker);
		uint64_t first;

		if (row == campaign->row_count)
			return false;
		first = atomic_fetch_add(&campaign->board->taken[row], WP_CHUNK);
		if (first >= campaign->programs)
			continue; /* another worker was faster */
		worker->row = row;
		worker->next = first;
		worker->end = campaign->programs - first < WP_CHUNK ? campaign->programs
		                                                    : first + WP_CHUNK;
		return true;
	}
}

/* ---- what they show ---- */

/*
 * The report as it is comes first: shrinking may end the process. Slow machines that
 * took no part in what was found have no say in what is left of it.
 */
static void shrink(const struct wp_campaign *campaign, struct wp_runner *runner,
                   struct wp_worker *worker, struct wp_slot *slot, struct wp_program *program)
{
	struct wp_stats *stats = runner->stats;
	struct wp_result result;
	size_t length;

	wp_report_finding(&slot->report, program, &worker->result);
	if (campaign->as_found) {
		slot->state = WP_SLOT_READY;
		return;
	}
	slot->state = WP_SLOT_SHRINKING;
	runner->stats = &worker->aside;
	runner->sample = 1; /* what is left of a program is another program */
	runner->fast_only = !runner->asks_slow;
	if (wp_shrink(runner, program, &result, WP_SHRINK_RUNS)) {
		wp_report_finding(&slot->report, program, &result);
	} else {
		length = strlen(slot->report.sentence);
		snprintf(slot->report.sentence + length, sizeof slot->report.sentence - length,
		         " (the first time only)");
	}
	runner->stats = stats;
	runner->sample = campaign->sample;
	runner->fast_only = false;
	slot->state = WP_SLOT_READY;
}

/* Without the operations that the subject lacks, which nobody misses. */
static void copy_offered(const struct wp_subject *subject, const struct wp_program *program,
                         struct wp_program *offered, struct wp_damage *damage)
{
	size_t before = 0; /* the damage */

	offered->regime = program->regime;
	offered->count = 0;
	for (size_t i = 0; i < program->count; i++) {
		if (!wp_subject_offers(subject, program->ops[i].opcode))
			continue;
		before += damage != NULL && i < damage->at;
		offered->ops[offered->count++] = program->ops[i];
	}
	if (damage != NULL)
		damage->at = before;
}

/* A shared object has few calls, and its programs are short from the start. */
static size_t hang_runs(const struct wp_subject *subject)
{
	return subject->calls != NULL ? WP_CONTAIN_HANGS / 5 : WP_CONTAIN_HANGS;
}

/* Of a slot whose program ended the process, or whose shrinking did. */
static void shrink_contained(struct wp_runner *runner, struct wp_slot *slot)
{
	const bool hung = strstr(slot->report.key, "-hang-") != NULL;
	static struct wp_program program;
	struct wp_damage damage = slot->report.damage;
	struct wp_contained contained;
	struct wp_result result;
	char why[100];
	bool died;

	slot->state = WP_SLOT_CONTAINED;
	if (wp_contain_open(&contained, runner, WP_CONTAIN_SECONDS, why, sizeof why)) {
		const size_t runs = hung ? hang_runs(runner->subject) : WP_SHRINK_RUNS;

		contained.damage = slot->report.damaged ? &damage : NULL;
		copy_offered(runner->subject, &slot->report.program, &program, contained.damage);
		if (wp_contain_shrink(&contained, &program, &result, runs, &died))
			wp_contain_report(&contained, &program, &result, died, &slot->report);
	}
	wp_contain_close(&contained);
	slot->state = WP_SLOT_READY;
}

/* What the worker before this one left behind. */
static void shrink_left(struct wp_runner *runner, struct wp_worker *worker)
{
	runner->stats = &worker->aside;
	runner->fast_only = true;
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		if (worker->slots[i].state == WP_SLOT_ENDS)
			shrink_contained(runner, &worker->slots[i]);
	}
	runner->fast_only = false;
}

static void keep_finding(const struct wp_campaign *campaign, struct wp_runner *runner,
                         struct wp_worker *worker, struct wp_program *program)
{
	struct wp_slot *slot = wp_slots_new(worker, worker->result.key);

	if (slot == NULL)
		return;
	shrink(campaign, runner, worker, slot, program);
	if (campaign->first_only)
		campaign->board->stop = true;
}

/* Shrunk in its own way, as the damage is no operation. */
static void keep_damage(const struct wp_campaign *campaign, struct wp_runner *runner,
                        struct wp_worker *worker, struct wp_program *program)
{
	struct wp_slot *slot = wp_slots_new(worker, worker->result.key);

	if (slot == NULL)
		return;
	wp_report_finding(&slot->report, program, &worker->result);
	slot->state = WP_SLOT_SHRINKING;
	wp_report_damage(&slot->report, &worker->damage);
	if (!campaign->as_found)
		wp_damage_shrink(runner, program, &worker->damage, &worker->result, WP_SHRINK_RUNS);
	wp_report_finding(&slot->report, program, &worker->result);
	wp_report_damage(&slot->report, &worker->damage);
	slot->state = WP_SLOT_READY;
	if (campaign->first_only)
		campaign->board->stop = true;
}

/* L2 and L7, on some programs: runs of what was made of them, which don't count. */
static void run_variants(const struct wp_campaign *campaign, struct wp_runner *runner,
                         struct wp_worker *worker, const struct wp_program *program)
{
	bool refused, damaged = false;

	runner->stats = &worker->aside;
	wp_program_copy(&worker->variant, program);
	worker->running = true;
	worker->varied = true;
	refused = !wp_refuse_some(runner, program, &worker->variant, &worker->result);
	if (!refused) {
		wp_program_copy(&worker->variant, program);
		worker->damaged = true;
		damaged = !wp_damage_some(runner, program, &worker->damage, &worker->result);
	}
	worker->running = false;
	worker->varied = false;
	worker->damaged = false;
	if (damaged)
		keep_damage(campaign, runner, worker, &worker->variant);
	runner->stats = &worker->stats[worker->row];
	if (refused)
		keep_finding(campaign, runner, worker, &worker->variant);
}

/* ---- the loop ---- */

static void run_chunk(const struct wp_campaign *campaign, struct wp_runner *runner,
                      struct wp_worker *worker)
{
	static struct wp_program program;
	const uint64_t started = wp_nanoseconds();

	runner->stats = &worker->stats[worker->row];
	for (; worker->next < worker->end; worker->next++) {
		if (atomic_load_explicit(&campaign->board->stop, memory_order_relaxed))
			break;
		wp_campaign_program(campaign, worker->row, worker->next, &program);
		worker->running = true;
		wp_words_forget(&worker->words);
		wp_run(runner, &program, &worker->result, NULL);
		worker->running = false;
		if (worker->result.finding.found)
			keep_finding(campaign, runner, worker, &program);
		else
			run_variants(campaign, runner, worker, &program);
		if (worker->result.finding.found)
			wp_memory_distrust(&runner->memory);
		if (worker->result.finding.found && campaign->subject->calls != NULL) {
			worker->next++;
			worker->frames_used = runner->memory.high_water;
			_exit(WP_WORKER_AGAIN);
		}
	}
	worker->time[worker->row] += wp_nanoseconds() - started;
}

static bool open_runner(const struct wp_campaign *campaign, struct wp_runner *runner,
                        struct wp_worker *worker)
{
	static struct wp_machine_set set;

	if (!wp_runner_open(runner, campaign->subject, &worker->aside, worker->why,
	                    sizeof worker->why) ||
	    !wp_machines_open(&set, &runner->memory, wp_campaign_archs(campaign), campaign->without,
	                      worker->why, sizeof worker->why))
		return false;
	wp_machines_drop(&set, campaign->absent);
	wp_machines_add_to(&set, runner);
	runner->sample = campaign->sample;
	runner->checks = campaign->checks;
	runner->varies_all = campaign->vary_all;
	for (size_t row = 0; row < campaign->row_count; row++) {
		for (size_t i = 0; i < WP_MAX_MACHINES; i++)
			worker->stats[row].machines[i].name = worker->aside.machines[i].name;
	}
	return true;
}

static void run_chunks(const struct wp_campaign *campaign, struct wp_runner *runner,
                       struct wp_worker *worker)
{
	/* one that takes over from a dead one first does what that one left */
	do
		run_chunk(campaign, runner, worker);
	while (!campaign->board->stop && take_chunk(campaign, worker));
}

/* The copy died of a program, or while it was shrinking one. False: of nothing of the kind. */
static bool outlive(const struct wp_campaign *campaign, struct wp_runner *runner,
                    struct wp_worker *worker, int status)
{
	bool is_new = true;

	if (WIFEXITED(status) && WEXITSTATUS(status) == WP_WORKER_AGAIN)
		return true;
	if (worker->running)
		is_new = wp_slots_keep_death(campaign, worker, status, false);
	else if (!wp_slots_left(worker))
		return false;
	worker->running = false;
	worker->varied = false;
	worker->damaged = false;
	worker->frames_used = runner->memory.frames; /* nobody knows */
	if (campaign->first_only && is_new)
		campaign->board->stop = true;
	shrink_left(runner, worker);
	return true;
}

/*
 * A finding may leave a shared object with a lock held, or in the middle of something that
 * its globals know of. What follows is run by a copy of this process, which never has run
 * a program.
 */
static void run_copies(const struct wp_campaign *campaign, struct wp_runner *runner,
                       struct wp_worker *worker)
{
	int status;

	worker->frames_used = runner->memory.frames;
	do {
		const pid_t copy = fork();

		if (copy == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			runner->memory.high_water = worker->frames_used;
			run_chunks(campaign, runner, worker);
			_exit(0);
		}
		if (copy < 0 || waitpid(copy, &status, 0) != copy)
			_exit(WP_WORKER_FAILED);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
	} while (outlive(campaign, runner, worker, status));
	_exit(WP_WORKER_FAILED);
}

_Noreturn void wp_worker_main(const struct wp_campaign *campaign, struct wp_worker *worker)
{
	struct wp_runner *runner = malloc(sizeof *runner);

	if (runner == NULL || !open_runner(campaign, runner, worker))
		_exit(WP_WORKER_FAILED);
	shrink_left(runner, worker);
	if (campaign->subject->calls != NULL)
		run_copies(campaign, runner, worker);
	else
		run_chunks(campaign, runner, worker);
	_exit(0);
}
