/* SPDX-License-Identifier: MIT */
#include "contain.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the process leaves behind, however it ends. */
struct wp_contained_run {
	bool done; /* it got to its end... */
	bool fine; /* ...and this is what it found */
	struct wp_result result;
	struct wp_program program;
	bool damaged;
	struct wp_damage damage;
	struct wp_stats stats; /* by which it shows that it goes on */
	struct wp_report death;
};

bool wp_contain_open(struct wp_contained *contained, struct wp_runner *runner, unsigned seconds,
                     char *why, size_t why_size)
{
	struct wp_contained_run *run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE,
	                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*contained = (struct wp_contained){runner, seconds, NULL, run, {-1}};
	if (run != MAP_FAILED) {
		wp_words_open(&contained->words, runner->subject);
		return true;
	}
	contained->run = NULL;
	snprintf(why, why_size, "out of memory: %s", strerror(errno));
	return false;
}

void wp_contain_close(struct wp_contained *contained)
{
	if (contained->run != NULL)
		munmap(contained->run, sizeof *contained->run);
	wp_words_close(&contained->words);
	contained->run = NULL;
}

/*
 * Guest memory is shared with the process, what is known of its frames is not: so the
 * next run must look at each frame.
 */
static void forget_frames(struct wp_runner *runner)
{
	runner->memory.high_water = runner->memory.frames;
}

typedef void job(struct wp_contained *contained, size_t runs);

static void run_one(struct wp_contained *contained, size_t runs)
{
	struct wp_contained_run *run = contained->run;
	static struct wp_program program;
	struct wp_damage_stats aside = {0};

	(void)runs;
	program = run->program;
	if (run->damaged)
		run->fine = wp_damage_run(contained->runner, &program, &run->damage, &aside,
		                          &run->result);
	else
		run->fine = wp_run(contained->runner, &program, &run->result, &run->program);
}

static void shrink_all(struct wp_contained *contained, size_t runs)
{
	struct wp_contained_run *run = contained->run;

	if (!run->damaged) {
		run->fine = !wp_shrink(contained->runner, &run->program, &run->result, runs);
		return;
	}
	run_one(contained, runs);
	if (!run->fine)
		wp_damage_shrink(contained->runner, &run->program, &run->damage, &run->result,
		                 runs);
}

_Noreturn static void live(struct wp_contained *contained, job *todo, size_t runs)
{
	const struct rlimit no_core = {0, 0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (contained->words.fd >= 0) {
		wp_words_redirect(&contained->words);
	} else {
		fclose(stderr); /* a sanitizer's report of each candidate would help nobody */
		close(STDERR_FILENO);
	}
	contained->runner->stats = &contained->run->stats;
	todo(contained, runs);
	contained->run->done = true;
	_exit(0);
}

/* The wait status; `hung`: it was killed, as it stood still. */
static int await(const struct wp_contained *contained, pid_t child, bool *hung)
{
	const struct timespec moment = {.tv_nsec = 100000};
	const struct wp_stats *stats = &contained->run->stats;
	struct wp_watch watch = {0};
	int status = 0;

	*hung = false;
	while (waitpid(child, &status, *hung ? 0 : WNOHANG) != child) {
		*hung = wp_watch_stalled(&watch, stats->programs + stats->operations,
		                         contained->seconds);
		if (*hung)
			kill(child, SIGKILL);
		else
			nanosleep(&moment, NULL);
	}
	return status;
}

/* False: the process died; `status` and `hung` tell how. */
static bool run_job(struct wp_contained *contained, job *todo, const struct wp_program *program,
                    size_t runs, int *status, bool *hung)
{
	struct wp_contained_run *run = contained->run;
	pid_t child;

	memset(&run->result, 0, sizeof run->result);
	run->program = *program;
	run->damaged = contained->damage != NULL;
	if (run->damaged)
		run->damage = *contained->damage;
	run->done = false;
	forget_frames(contained->runner);
	fflush(NULL);
	child = fork();
	if (child == 0)
		live(contained, todo, runs);
	if (child < 0)
		return false;
	*status = await(contained, child, hung);
	contained->runner->stats->programs++; /* whoever watches this process sees it live */
	return run->done;
}

bool wp_contain_run(struct wp_contained *contained, const struct wp_program *program,
                    struct wp_result *result, struct wp_program *settled, bool *died)
{
	struct wp_report *death = &contained->run->death;
	bool hung = false;
	int status = 0;
	const bool lived = run_job(contained, run_one, program, 0, &status, &hung);

	*result = contained->run->result;
	if (settled != NULL)
		*settled = contained->run->program;
	if (died != NULL)
		*died = !lived;
	if (lived)
		return contained->run->fine;
	wp_report_death(death, program, result, status, hung ? contained->seconds : 0);
	if (!hung)
		wp_words_tell(&contained->words, death);
	wp_report_damage(death, contained->damage);
	snprintf(result->key, sizeof result->key, "%s", death->key);
	return false;
}

const struct wp_report *wp_contain_death(const struct wp_contained *contained)
{
	return &contained->run->death;
}

void wp_contain_report(const struct wp_contained *contained, const struct wp_program *program,
                       const struct wp_result *result, bool died, struct wp_report *report)
{
	if (died) {
		*report = contained->run->death;
		return;
	}
	wp_report_finding(report, program, result);
	wp_report_damage(report, contained->damage);
}

static bool breaks(void *context, const struct wp_program *candidate, struct wp_result *result,
                   struct wp_program *settled)
{
	return !wp_contain_run(context, candidate, result, settled, NULL);
}

bool wp_contain_shrink(struct wp_contained *contained, struct wp_program *program,
                       struct wp_result *result, size_t runs, bool *died)
{
	const struct wp_shrink_judge judge = {breaks, contained};
	bool hung = false;
	int status = 0;

	*died = false;
	if (run_job(contained, shrink_all, program, runs, &status, &hung)) {
		if (contained->run->fine)
			return false;
		*program = contained->run->program;
		*result = contained->run->result;
		if (contained->damage != NULL)
			*contained->damage = contained->run->damage;
		return true;
	}
	if (contained->damage == NULL && !wp_shrink_by(&judge, program, result, runs))
		return false;
	if (contained->damage != NULL) {
		if (wp_contain_run(contained, program, result, NULL, NULL))
			return false;
		wp_damage_shrink_by(&judge, program, contained->damage, result, runs);
	}
	wp_contain_run(contained, program, result, NULL, died);
	return true;
}
