/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what is run ---- */

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 33)) * 0xff51afd7ed558ccdu;
	z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53u;
	return z ^ (z >> 33);
}

void wp_campaign_program(const struct wp_campaign *campaign, size_t row, uint64_t number,
                         struct wp_program *program)
{
	struct wp_random random;
	uint64_t seed = mix(campaign->seed + 1);

	for (const char *c = campaign->rows[row].name; *c != '\0'; c++)
		seed = mix(seed ^ (uint8_t)*c);
	wp_random_seed(&random, mix(seed ^ number));
	wp_program_generate_for(program, &campaign->rows[row].scope, &campaign->unasked, &random);
}

static size_t scope_for(const struct wp_subject *subject, const char *name, struct wp_scope *scope)
{
	struct wp_scope asked;

	wp_scope_of(&asked, name);
	scope->count = 0;
	for (size_t i = 0; i < asked.count; i++) {
		if (wp_subject_serves(subject, asked.regimes[i]))
			scope->regimes[scope->count++] = asked.regimes[i];
	}
	return scope->count;
}

bool wp_campaign_choose(struct wp_campaign *campaign, const char *const *names, size_t count,
                        char *why, size_t why_size)
{
	campaign->row_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct wp_row *row = &campaign->rows[campaign->row_count];

		if (campaign->row_count == WP_MAX_ROWS) {
			snprintf(why, why_size, "at most %d architectures at once", WP_MAX_ROWS);
			return false;
		}
		row->name = names[i];
		if (names[i][0] == '\0' ||
		    scope_for(campaign->subject, names[i], &row->scope) == 0) {
			snprintf(why, why_size,
			         "the subject '%s' serves no architecture '%s': x86_64, aarch64, "
			         "riscv64, loongarch64, x86_ept, or a regime such as riscv64_sv48",
			         campaign->subject->name, names[i]);
			return false;
		}
		campaign->row_count++;
	}
	for (unsigned arch = 0; arch < WP_ARCHS && count == 0; arch++) {
		struct wp_row *row = &campaign->rows[campaign->row_count];

		row->name = wp_arch_name((enum wp_arch)arch);
		campaign->row_count += scope_for(campaign->subject, row->name, &row->scope) > 0;
	}
	if (campaign->row_count == 0)
		snprintf(why, why_size, "the subject '%s' serves no regime",
		         campaign->subject->name);
	return campaign->row_count > 0;
}

unsigned wp_campaign_archs(const struct wp_campaign *campaign)
{
	unsigned archs = 0;

	for (size_t i = 0; i < campaign->row_count; i++)
		archs |= 1u << campaign->rows[i].scope.regimes[0]->arch;
	return archs;
}

/* ---- what came of it ---- */

void wp_campaign_stats(const struct wp_campaign *campaign, size_t row, struct wp_stats *stats)
{
	memset(stats, 0, sizeof *stats);
	for (unsigned i = 0; i < campaign->jobs; i++)
		wp_stats_add(stats, &campaign->board->workers[i].stats[row]);
}

/* NULL: there is no room for another key. */
static struct wp_campaign_finding *finding_for(struct wp_campaign *campaign, const char *key,
                                               bool *is_new)
{
	struct wp_campaign_finding *finding;

	*is_new = false;
	for (size_t i = 0; i < campaign->finding_count; i++) {
		if (strcmp(campaign->findings[i].key, key) == 0)
			return &campaign->findings[i];
	}
	if (campaign->finding_count == WP_MAX_FINDINGS)
		return NULL;
	*is_new = true;
	finding = &campaign->findings[campaign->finding_count++];
	memset(finding, 0, sizeof *finding);
	snprintf(finding->key, sizeof finding->key, "%s", key);
	return finding;
}

static void tell(struct wp_campaign *campaign, const struct wp_report *report, size_t row,
                 uint64_t number)
{
	bool is_new;
	struct wp_campaign_finding *finding = finding_for(campaign, report->key, &is_new);

	if (!is_new)
		return;
	finding->row = row;
	finding->number = number;
	campaign->found(campaign, report);
}

static void tell_ready(struct wp_campaign *campaign, struct wp_worker *worker)
{
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		struct wp_slot *slot = &worker->slots[i];

		if (slot->state != WP_SLOT_READY)
			continue;
		slot->state = WP_SLOT_TOLD;
		tell(campaign, &slot->report, slot->row, slot->number);
	}
}

/* How many programs showed each key. */
static void count_findings(struct wp_campaign *campaign)
{
	for (unsigned i = 0; i < campaign->jobs; i++) {
		const struct wp_worker *worker = &campaign->board->workers[i];

		campaign->unlisted += worker->unlisted;
		for (size_t j = 0; j < WP_WORKER_FINDINGS; j++) {
			const struct wp_slot *slot = &worker->slots[j];
			struct wp_campaign_finding *finding;
			bool is_new;

			if (slot->state != WP_SLOT_TOLD)
				continue;
			finding = finding_for(campaign, slot->report.key, &is_new);
			if (finding != NULL)
				finding->programs += slot->programs;
			else
				campaign->unlisted += slot->programs;
		}
	}
}

/* ---- the workers' lives ---- */

static bool start_worker(struct wp_campaign *campaign, struct wp_worker *worker)
{
	const pid_t parent = getpid();
	sigset_t none;
	pid_t child;

	fflush(NULL);
	worker->watch.since = 0;
	child = fork();
	if (child != 0) {
		worker->pid = child;
		return child > 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	wp_words_redirect(&worker->words);
	signal(SIGINT, SIG_IGN); /* the parent is told, and says when to stop */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	wp_worker_main(campaign, worker);
}

/* No program ends its process so: somebody who wants the campaign to end does. */
static bool is_ended_from_outside(int status)
{
	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP);
}

/*
 * A worker died. False, with `why`, if that was nothing that a program did: then
 * another would fare no better.
 */
static bool bury(struct wp_campaign *campaign, struct wp_worker *worker, int status, bool hung,
                 char *why, size_t why_size)
{
	bool is_new = true;

	worker->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (is_ended_from_outside(status)) {
		campaign->interrupted = true;
		campaign->board->stop = true;
		return true;
	}
	if (worker->running)
		is_new = wp_slots_keep_death(campaign, worker, status, hung);
	else if (!wp_slots_left(worker)) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == WP_WORKER_FAILED)
			snprintf(why, why_size, "%s", worker->why);
		else
			snprintf(why, why_size,
			         "a worker ended before it ran a program (wait status %d)", status);
		return false;
	}
	worker->running = false;
	worker->varied = false;
	if (campaign->first_only && is_new)
		campaign->board->stop = true;
	if ((campaign->board->stop && !wp_slots_to_shrink(worker)) ||
	    start_worker(campaign, worker))
		return true;
	snprintf(why, why_size, "can't start a worker: %s", strerror(errno));
	return false;
}

/* True: it stood still, and was killed. */
static bool kill_if_hung(const struct wp_campaign *campaign, struct wp_worker *worker)
{
	uint64_t beat = worker->aside.programs + worker->aside.operations;

	/* each operation is a sign of life: on a busy host a program may take its time */
	for (size_t row = 0; row < campaign->row_count; row++)
		beat += worker->stats[row].programs + worker->stats[row].operations;
	if (!wp_watch_stalled(&worker->watch, beat, campaign->patience))
		return false;
	kill(worker->pid, SIGKILL);
	return true;
}

/* Sets `alive` to how many workers there are afterwards. */
static bool tend_workers(struct wp_campaign *campaign, unsigned *alive, char *why, size_t why_size)
{
	*alive = 0;
	for (unsigned i = 0; i < campaign->jobs; i++) {
		struct wp_worker *worker = &campaign->board->workers[i];
		const bool hung = worker->pid > 0 && kill_if_hung(campaign, worker);
		int status;

		if (worker->pid > 0 && waitpid(worker->pid, &status, hung ? 0 : WNOHANG) > 0 &&
		    !bury(campaign, worker, status, hung, why, why_size))
			return false;
		tell_ready(campaign, worker);
		*alive += worker->pid > 0;
	}
	return true;
}

static void kill_workers(struct wp_campaign *campaign)
{
	campaign->board->stop = true;
	for (unsigned i = 0; i < campaign->jobs; i++) {
		struct wp_worker *worker = &campaign->board->workers[i];

		if (worker->pid <= 0)
			continue;
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
		worker->pid = 0;
	}
}

/* ---- the campaign ---- */

static void watched_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
}

/* A signal, or a tenth of a second. */
static void wait_a_moment(struct wp_campaign *campaign, const sigset_t *signals)
{
	const struct timespec moment = {.tv_nsec = 100000000};
	const int got = sigtimedwait(signals, NULL, &moment);

	if (got != SIGINT && got != SIGTERM)
		return;
	if (campaign->interrupted)
		kill_workers(campaign); /* asked a second time */
	campaign->interrupted = true;
	campaign->board->stop = true;
}

static bool watch_workers(struct wp_campaign *campaign, const sigset_t *signals, char *why,
                          size_t why_size)
{
	const uint64_t length = campaign->seconds * 1000000000u;
	unsigned alive;

	do {
		wait_a_moment(campaign, signals);
		if (!tend_workers(campaign, &alive, why, why_size))
			return false;
		if (campaign->programs == UINT64_MAX &&
		    wp_nanoseconds() - campaign->started >= length)
			campaign->board->stop = true;
		campaign->tick(campaign);
	} while (alive > 0);
	return true;
}

bool wp_campaign_run(struct wp_campaign *campaign, char *why, size_t why_size)
{
	const size_t size = sizeof *campaign->board +
	                    campaign->jobs * sizeof campaign->board->workers[0];
	sigset_t signals, before;
	bool ran = true;

	campaign->board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	                       0);
	if (campaign->board == MAP_FAILED) {
		snprintf(why, why_size, "no memory for %u workers: fewer --jobs", campaign->jobs);
		campaign->board = NULL;
		return false;
	}
	watched_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, &before);
	campaign->unasked = wp_subject_unasked(campaign->subject);
	campaign->started = wp_nanoseconds();
	for (unsigned i = 0; i < campaign->jobs && ran; i++) {
		wp_words_open(&campaign->board->workers[i].words, campaign->subject);
		wp_slots_know(&campaign->board->workers[i], campaign->known, campaign->known_count);
		ran = start_worker(campaign, &campaign->board->workers[i]);
		if (!ran)
			snprintf(why, why_size, "can't start a worker: %s", strerror(errno));
	}
	ran = ran && watch_workers(campaign, &signals, why, why_size);
	kill_workers(campaign);
	for (unsigned i = 0; i < campaign->jobs; i++) {
		wp_words_close(&campaign->board->workers[i].words);
		wp_slots_settle(&campaign->board->workers[i]);
		tell_ready(campaign, &campaign->board->workers[i]);
	}
	count_findings(campaign);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ran;
}

void wp_campaign_close(struct wp_campaign *campaign)
{
	if (campaign->board != NULL)
		munmap(campaign->board,
		       sizeof *campaign->board +
		               campaign->jobs * sizeof campaign->board->workers[0]);
	campaign->board = NULL;
}
