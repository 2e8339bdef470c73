/* SPDX-License-Identifier: MIT */
/* walkproof replay: run programs from files on every machine. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "damage.h"
#include "files.h"
#include "machine_set.h"
#include "refusals.h"
#include "last_words.h"
#include "report.h"

/*
 * The programs run in a process of their own, as one may end it or hang. What it
 * has got to is in shared memory.
 */
struct shared {
	_Atomic size_t at; /* the file at hand; those before it are done */
	_Atomic bool ready;
	struct wp_stats stats;
	char why[300];
	struct outcome {
		size_t operations;
		struct wp_result result;
		struct wp_refusals refusals;
		struct wp_program refused; /* that broke a law */
	} outcomes[];
};

struct replay {
	char **files;
	size_t count;
	struct wp_cli_from from;
	unsigned archs;
	bool refusals, damages;
	struct wp_damage damage;
	struct shared *shared;
	bool any;
	json_t *list;
	struct wp_words words;
};

/* ---- what is said ---- */

static void say_fine(const struct replay *replay, size_t index)
{
	const struct outcome *outcome = &replay->shared->outcomes[index];
	const struct wp_refusals *refusals = &outcome->refusals;

	printf("%s: fine, %zu operation%s", replay->files[index], outcome->operations,
	       outcome->operations == 1 ? "" : "s");
	if (replay->refusals)
		printf(", %zu of %zu allocations refused, in %zu runs", refusals->points,
		       refusals->allocations, refusals->runs);
	printf("\n");
}

static void say(struct replay *replay, size_t index, const struct wp_report *report)
{
	const struct outcome *outcome = &replay->shared->outcomes[index];
	char where[64] = "at the end";
	json_t *json = json_pack("{s:s, s:b, s:I}", "file", replay->files[index], "fine",
	                         report == NULL, "operations", (json_int_t)outcome->operations);

	if (report != NULL && report->op < outcome->operations)
		snprintf(where, sizeof where, "operation %zu (%s)", report->op + 1,
		         wp_opcode_name(outcome->result.opcode));
	if (report != NULL)
		json_object_update_new(json, json_pack("{s:s, s:s, s:s, s:s}", "key", report->key,
		                                       "law", report->law, "sentence",
		                                       report->sentence, "where", where));
	json_array_append_new(replay->list, json);
	replay->any |= report != NULL;
	if (replay->from.json)
		return;
	if (report == NULL)
		say_fine(replay, index);
	else
		printf("%s: %s\n  breaks %s\n  %s: %s\n", replay->files[index], report->key,
		       report->law, where, report->sentence);
}

static void say_result(struct replay *replay, size_t index)
{
	static struct wp_report report;
	static const struct wp_program none;
	const struct wp_result *result = &replay->shared->outcomes[index].result;

	if (result->finding.found)
		wp_report_finding(&report, &none, result);
	say(replay, index, result->finding.found ? &report : NULL);
	if (result->finding.found && replay->shared->outcomes[index].refused.count > 0 &&
	    !replay->from.json) {
		printf("  in this program, made of it:\n");
		wp_program_print(&replay->shared->outcomes[index].refused, stdout);
	}
}

/* ---- the process that runs them ---- */

static bool open_runner(const struct replay *replay, struct wp_runner *runner)
{
	struct shared *shared = replay->shared;
	static struct wp_machine_set set;

	if (!wp_runner_open(runner, replay->from.subject, &shared->stats, shared->why,
	                    sizeof shared->why) ||
	    !wp_machines_open(&set, &runner->memory, replay->archs, replay->from.without,
	                      shared->why, sizeof shared->why) ||
	    !wp_machines_prove(&set, true, shared->why, sizeof shared->why))
		return false;
	wp_machines_add_to(&set, runner);
	runner->checks = replay->from.checks;
	return true;
}

static bool is_damaged(const struct replay *replay, struct wp_damage *damage)
{
	*damage = replay->damage;
	return replay->damages || wp_file_damage(replay->files[replay->shared->at], damage);
}

/* As it is, with each allocation refused in turn, or with damage done to its tables. */
static void run_program(const struct replay *replay, struct wp_runner *runner,
                        const struct wp_program *program, struct outcome *outcome)
{
	struct wp_damage_stats stats = {0};
	struct wp_damage damage;

	if (is_damaged(replay, &damage))
		wp_damage_run(runner, program, &damage, &stats, &outcome->result);
	else if (wp_run(runner, program, &outcome->result, NULL) && replay->refusals)
		wp_refuse_each(runner, program, &wp_refuse_all, &outcome->refused, &outcome->result,
		               &outcome->refusals);
}

_Noreturn static void run_programs(const struct replay *replay)
{
	static struct wp_program program;
	struct shared *shared = replay->shared;
	struct wp_runner *runner = malloc(sizeof *runner);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (runner == NULL || !open_runner(replay, runner))
		_exit(1);
	wp_words_redirect(&replay->words);
	shared->ready = true;
	for (; shared->at < replay->count; shared->at++) {
		struct outcome *outcome = &shared->outcomes[shared->at];

		if (!wp_file_load(replay->files[shared->at], replay->from.scope, &program,
		                  shared->why, sizeof shared->why)) {
			shared->ready = false;
			_exit(1);
		}
		outcome->operations = program.count;
		wp_words_forget(&replay->words);
		run_program(replay, runner, &program, outcome);
	}
	_exit(0);
}

/* ---- the process that watches it ---- */

static void say_death(struct replay *replay, int status, bool hung)
{
	static struct wp_program program;
	static struct wp_report report;
	const size_t at = replay->shared->at;
	struct wp_damage damage;

	if (!replay->shared->ready)
		wp_cli_fail("%s", replay->shared->why[0] != '\0'
		                          ? replay->shared->why
		                          : "the machines ended the process");
	wp_cli_load(replay->files[at], replay->from.scope, replay->from.subject, &program);
	wp_report_death(&report, &program, &replay->shared->outcomes[at].result, status,
	                hung ? WP_HANG_SECONDS : 0);
	if (!hung)
		wp_words_tell(&replay->words, &report);
	wp_report_damage(&report, is_damaged(replay, &damage) ? &damage : NULL);
	say(replay, at, &report);
}

/* Until the process has ended; the wait status. */
static int watch(struct replay *replay, pid_t child, size_t *told, bool *hung)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	struct wp_watch watch = {0};
	int status;

	*hung = false;
	for (;;) {
		const pid_t ended = waitpid(child, &status, *hung ? 0 : WNOHANG);

		for (; *told < replay->shared->at; ++*told)
			say_result(replay, *told);
		if (ended == child)
			return status;
		*hung = wp_watch_stalled(&watch, replay->shared->at, WP_HANG_SECONDS);
		if (*hung)
			kill(child, SIGKILL);
		else
			nanosleep(&moment, NULL);
	}
}

static void replay_all(struct replay *replay)
{
	size_t told = 0;

	while (replay->shared->at < replay->count) {
		bool hung;
		int status;
		pid_t child;

		fflush(NULL);
		replay->shared->ready = false;
		child = fork();
		if (child < 0)
			wp_cli_fail("can't start a process: %s", strerror(errno));
		if (child == 0)
			run_programs(replay);
		status = watch(replay, child, &told, &hung);
		if (replay->shared->at == replay->count)
			break;
		say_death(replay, status, hung);
		told = ++replay->shared->at;
	}
}

/* All files are looked at first: a damaged one shall not be found after an hour. */
static void prepare(struct replay *replay)
{
	static struct wp_program program;
	const size_t size = sizeof *replay->shared +
	                    replay->count * sizeof replay->shared->outcomes[0];

	for (size_t i = 0; i < replay->count; i++) {
		wp_cli_load(replay->files[i], replay->from.scope, replay->from.subject, &program);
		replay->archs |= 1u << program.regime->arch;
	}
	replay->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	                      0);
	if (replay->shared == MAP_FAILED)
		wp_cli_fail("no memory for %zu files", replay->count);
}

/* ---- arguments ---- */

enum { KEY_REFUSALS = WP_KEY_OWN, KEY_DAMAGE };

static void read_damage(struct replay *replay, const char *text)
{
	const char *colon = strchr(text, ':');
	char at[24];

	if (colon == NULL || (size_t)(colon - text) >= sizeof at)
		wp_cli_fail("--damage takes two numbers, such as 3:17, not '%s'", text);
	snprintf(at, sizeof at, "%.*s", (int)(colon - text), text);
	replay->damage.at = (size_t)wp_cli_number(at, "--damage", 0, WP_PROGRAM_MAX_OPS);
	replay->damage.seed = wp_cli_number(colon + 1, "--damage", 0, UINT64_MAX);
	replay->damages = true;
}

static const struct argp_option options[] = {
	{"refusals", KEY_REFUSALS, NULL, 0, "Also with each allocation refused in turn", 0},
	{"damage", KEY_DAMAGE, "AT:SEED", 0,
         "After AT operations damage the tables, as a finding on damaged tables has it "
         "(default: as the file says)",
         0},
	WP_OPTION_SUBJECT,
	WP_OPTION_SCOPE,
	WP_OPTIONS_MACHINES,
	WP_OPTION_LAW,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct replay *replay = state->input;

	switch (key) {
	case KEY_REFUSALS:
		replay->refusals = true;
		return 0;
	case KEY_DAMAGE:
		read_damage(replay, value);
		return 0;
	case ARGP_KEY_ARG:
		return ARGP_ERR_UNKNOWN; /* all of them at once, below */
	case ARGP_KEY_ARGS:
		replay->files = state->argv + state->next;
		replay->count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		wp_cli_fail("replay which file? See 'walkproof replay --help'");
	default:
		return wp_cli_option(key, value, &replay->from);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE...",
	.doc = "Run programs from files, text or binary, on every machine, and say of each whether "
	       "it is fine.\v"
	       "Exit status: 0 if all are fine, 1 if one breaks a law, 2 if a file is damaged or "
	       "missing.\n\n"
	       "For example, all that fuzzing found, and a crash of a libFuzzer target:\n\n"
	       "  walkproof replay findings/*.wp\n"
	       "  walkproof replay --scope riscv64_sv48 crash-4f1c",
};

static int run(int argc, char **argv)
{
	static struct replay replay;

	replay.from.subject = &wp_library_subject;
	replay.from.checks = WP_ALL_CHECKS;
	wp_cli_parse(&argp, argc, argv, &replay);
	replay.list = json_array();
	prepare(&replay);
	wp_words_open(&replay.words, replay.from.subject);
	replay_all(&replay);
	if (replay.from.json)
		wp_cli_json(replay.list);
	return replay.any ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_replay = {"replay", "run programs from files", run};
