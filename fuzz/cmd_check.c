/* SPDX-License-Identifier: MIT */
/* walkproof check: is somebody's own page-table code right? */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include "check_subject.h"

struct check {
	struct wp_check_subject subject;
	const char *name;
	bool lists;
};

static int list_deviations(void)
{
	for (unsigned i = 0; i < WP_DEVIATIONS; i++)
		printf("%-22s %s%s\n", wp_deviations[i].name,
		       wp_deviations[i].unasked ? "not asked for: " : "",
		       wp_deviations[i].forgives);
	return WP_EXIT_FINE;
}

/* ---- a shared object ---- */

static int check_subject(struct wp_check_subject *check, const char *path)
{
	char why[600];

	check->subject = wp_subject_load(path, why, sizeof why);
	if (check->subject == NULL)
		wp_cli_fail("%s", why);
	printf("%s: %s%s%s; serves %s\n", path, wp_subject_title(check->subject),
	       check->subject->what[0] != '\0' ? ", " : "", check->subject->what,
	       check->subject->regimes);
	wp_check_print_offers(check->subject, stdout);
	printf("seed %" PRIu64 "\n", check->seed);
	check->progress = stdout;
	fflush(stdout);
	if (!wp_check_subject(check, why, sizeof why))
		wp_cli_fail("%s", why);
	wp_check_print(check, stdout);
	return wp_check_passes(check) ? WP_EXIT_FINE : WP_EXIT_FINDING;
}

/* ---- arguments ---- */

enum { KEY_SECONDS = WP_KEY_OWN, KEY_PROGRAMS, KEY_REGIME, KEY_SEED, KEY_OUT, KEY_DEVIATIONS };

static const struct argp_option options[] = {
	{"seconds", KEY_SECONDS, "N", 0, "Stop after N seconds without a new finding (default 10)",
         0},
	{"programs", KEY_PROGRAMS, "N", 0, "Run N programs of each architecture instead", 0},
	{"regime", KEY_REGIME, "NAME", 0,
         "Only this, such as riscv64_sv48 (default: all it serves)", 0},
	{"seed", KEY_SEED, "N", 0, "Other programs (default 1)", 0},
	{"out", KEY_OUT, "DIR", 0, "Where reproducers go (default: findings)", 0},
	{"deviations", KEY_DEVIATIONS, NULL, 0, "List the deviations that a subject may declare",
         0},
	WP_OPTIONS_MACHINES,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct check *check = state->input;
	struct wp_check_subject *subject = &check->subject;

	switch (key) {
	case KEY_SECONDS:
		subject->seconds = wp_cli_number(value, "--seconds", 1, 1000000000);
		return 0;
	case KEY_PROGRAMS:
		subject->programs = wp_cli_number(value, "--programs", 1, (uint64_t)1 << 60);
		return 0;
	case KEY_REGIME:
		subject->scope = value;
		return 0;
	case KEY_SEED:
		subject->seed = wp_cli_number(value, "--seed", 0, INT64_MAX);
		return 0;
	case KEY_OUT:
		subject->directory = value;
		return 0;
	case KEY_DEVIATIONS:
		check->lists = true;
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &subject->without);
		return 0;
	case ARGP_KEY_ARG:
		if (check->name != NULL)
			wp_cli_fail("check takes one subject: see 'walkproof check --help'");
		check->name = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "./SUBJECT.so",
	.doc = "Check page-table code of your own, a shared object that exports what "
	       "<walkproof/subject.h> describes: run random programs on it, and tell where it "
	       "deviates from the contract, what deviation of the list forgives that, and what "
	       "none "
	       "does.\v"
	       "What it declares in `deviations` is taken as it is; what it needs beside is "
	       "proposed, "
	       "each with the shortest program that shows it. A crash or a hang is always a bug. "
	       "Exit "
	       "status: 0 if nothing was found that it doesn't declare, 1 if something was, 2 if "
	       "it "
	       "could not start. examples/README.md shows how to get there in ten minutes.",
};

static int run(int argc, char **argv)
{
	static struct check check = {
		.subject = {.seed = 1,
	                    .programs = UINT64_MAX,
	                    .seconds = 10,
	                    .directory = "findings"},
	};

	wp_cli_parse(&argp, argc, argv, &check);
	if (check.lists)
		return list_deviations();
	if (check.name == NULL)
		wp_cli_fail("check what? See 'walkproof check --help'");
	if (strchr(check.name, '/') == NULL)
		wp_cli_fail("check '%s'? A shared object is given by a path with a '/': ./%s",
		            check.name, check.name);
	return check_subject(&check.subject, check.name);
}

const struct wp_command wp_command_check = {"check", "check page-table code of your own", run};
