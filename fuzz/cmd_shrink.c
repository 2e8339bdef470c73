/* SPDX-License-Identifier: MIT */
/* walkproof shrink: the simplest program that breaks the same law in the same way. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>

#include "contain.h"
#include "files.h"
#include "machine_set.h"
#include "reproducer.h"

struct shrink {
	struct wp_cli_from from;
	const char *directory;
	size_t runs;
	struct wp_program program;
	bool damaged;
	struct wp_damage damage;
	struct wp_report report;
	struct wp_stats stats;
	struct wp_runner runner;
	struct wp_machine_set set;
};

/* Slow machines are asked only if nobody else finds anything. False: neither do they. */
static bool shrink_program(struct shrink *shrink)
{
	struct wp_runner *runner = &shrink->runner;
	struct wp_contained contained;
	struct wp_result result;
	bool died = false, found;
	char why[200];

	if (!wp_contain_open(&contained, runner, WP_HANG_SECONDS, why, sizeof why))
		wp_cli_fail("%s", why);
	contained.damage = shrink->damaged ? &shrink->damage : NULL;
	runner->fast_only = true;
	found = !wp_contain_run(&contained, &shrink->program, &result, NULL, &died);
	if (died && wp_contain_death(&contained)->law[0] == 'h' && shrink->runs > WP_CONTAIN_HANGS)
		shrink->runs = WP_CONTAIN_HANGS;
	contained.seconds = WP_CONTAIN_SECONDS;
	if (found)
		found = wp_contain_shrink(&contained, &shrink->program, &result, shrink->runs,
		                          &died);
	runner->fast_only = false;
	if (!found && !shrink->damaged)
		found = wp_shrink(runner, &shrink->program, &result, shrink->runs);
	if (found)
		wp_contain_report(&contained, &shrink->program, &result, died, &shrink->report);
	wp_contain_close(&contained);
	return found;
}

static void tell(const struct shrink *shrink, size_t before, uint64_t nanoseconds)
{
	const struct wp_report *report = &shrink->report;
	struct wp_reproducer saved;

	wp_reproducer_save(shrink->directory, report, shrink->from.subject, &saved);
	if (shrink->from.json) {
		wp_cli_json(json_pack(
			"{s:s, s:s, s:s, s:s?, s:s?, s:I, s:I, s:f}", "key", report->key, "law",
			report->law, "sentence", report->sentence, "path",
			saved.program[0] != '\0' ? saved.program : NULL, "c",
			saved.c[0] != '\0' ? saved.c : NULL, "before", (json_int_t)before, "after",
			(json_int_t)report->program.count, "seconds", (double)nanoseconds / 1e9));
		return;
	}
	wp_reproducer_tell(&saved, report, shrink->from.subject, stdout);
	printf("\n%zu operation%s, from %zu, in %.1f ms:\n\n", report->program.count,
	       report->program.count == 1 ? "" : "s", before, (double)nanoseconds / 1e6);
	wp_program_print(&report->program, stdout);
}

/* ---- arguments ---- */

enum { KEY_OUT = WP_KEY_OWN, KEY_RUNS };

static const struct argp_option options[] = {
	{"out", KEY_OUT, "DIR", 0, "Where the reproducers go (default: findings)", 0},
	{"runs", KEY_RUNS, "N", 0, "Stop after N runs of candidates (default 4000)", 0},
	WP_OPTION_SUBJECT,
	WP_OPTION_SCOPE,
	WP_OPTIONS_MACHINES,
	WP_OPTION_LAW,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct shrink *shrink = state->input;

	switch (key) {
	case KEY_OUT:
		shrink->directory = value;
		return 0;
	case KEY_RUNS:
		shrink->runs = wp_cli_number(value, "--runs", 1, 1000000000);
		return 0;
	default:
		return wp_cli_file_option(key, value, &shrink->from);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Make a program that breaks a law as simple as it gets: fewer operations, plainer "
	       "arguments, smaller numbers, while the key of the finding stays the same. The same "
	       "program always shrinks to the same one; one that crashes or hangs shrinks as "
	       "well.\v"
	       "Writes DIR/KEY-HASH.wp, and beside it a C file that fails on the library as it is. "
	       "Exit status: 1 with a finding, 0 if the program breaks nothing, 2 if it could not "
	       "start. For example:\n\n"
	       "  walkproof shrink crash.wp\n"
	       "  walkproof shrink --scope riscv64_sv48 crash-4f1c",
};

static int run(int argc, char **argv)
{
	static struct shrink shrink;
	uint64_t started;
	size_t before;
	bool found;

	shrink.from.command = "shrink";
	shrink.from.subject = &wp_library_subject;
	shrink.directory = "findings";
	shrink.from.checks = WP_ALL_CHECKS;
	shrink.runs = WP_SHRINK_RUNS;
	wp_cli_parse(&argp, argc, argv, &shrink);
	wp_cli_open(&shrink.from, &shrink.program, &shrink.runner, &shrink.stats, &shrink.set);
	wp_machines_add_to(&shrink.set, &shrink.runner);
	shrink.runner.checks = shrink.from.checks;
	before = shrink.program.count;
	started = wp_nanoseconds();
	shrink.damaged = wp_file_damage(shrink.from.path, &shrink.damage);
	found = shrink_program(&shrink);
	if (found)
		tell(&shrink, before, wp_nanoseconds() - started);
	else if (shrink.from.json)
		wp_cli_json(json_pack("{s:n}", "key"));
	else
		printf("%s: fine, so there is nothing to shrink\n", shrink.from.path);
	wp_machines_close(&shrink.set);
	wp_runner_close(&shrink.runner);
	return found ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_shrink = {"shrink", "make a program that breaks a law simpler",
                                             run};
