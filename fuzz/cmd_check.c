/* SPDX-License-Identifier: MIT */
/* walkproof check: is a backend, or somebody's own page-table code, right? */
#include "cli.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "check_backend.h"
#include "check_json.h"
#include "check_subject.h"

struct check {
	const char *what;
	const char *regime;
	uint64_t seconds; /* UINT64_MAX: as is usual for what is checked */
	uint64_t programs;
	unsigned without;
	struct wp_check_options backend;
	struct wp_check_subject subject;
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

/* ---- a backend ---- */

static int check_backend(struct check *check)
{
	struct wp_check_options *options = &check->backend;

	options->without = check->without;
	options->seconds = check->seconds == UINT64_MAX ? 20 : check->seconds;
	options->programs = check->programs;
	options->regime = check->regime != NULL ? check->regime : options->what;
	return wp_check_backend(options);
}

static int check_built_in(struct check *check)
{
	char names[600];

	check->backend.what = check->what;
	check->backend.codec = wp_codec_find(check->what);
	if (check->backend.codec == NULL) {
		wp_codec_names(names, sizeof names);
		wp_cli_fail("no backend '%s', and no path to a shared object: there is %s",
		            check->what, names);
	}
	if (check->backend.subject == NULL)
		check->backend.subject = &wp_library_subject;
	return check_backend(check);
}

/* ---- a shared object ---- */

static void introduce(struct check *check)
{
	struct wp_check_subject *subject = &check->subject;

	printf("%s: %s%s%s; serves %s\n", check->what, wp_subject_title(subject->subject),
	       subject->subject->what[0] != '\0' ? ", " : "", subject->subject->what,
	       subject->subject->regimes);
	wp_check_print_offers(subject->subject, stdout);
	printf("seed %" PRIu64 "\n", subject->seed);
	subject->progress = stdout;
	fflush(stdout);
}

static int check_subject(struct check *check)
{
	struct wp_check_subject *subject = &check->subject;
	char why[600];

	if (check->backend.html != NULL)
		wp_cli_fail("--html is a report of a backend, and %s exports no "
		            "walkproof_codec",
		            check->what);
	subject->without = check->without;
	subject->seconds = check->seconds == UINT64_MAX ? 10 : check->seconds;
	subject->programs = check->programs != 0 ? check->programs : UINT64_MAX;
	subject->scope = check->regime;
	if (!check->backend.json)
		introduce(check);
	if (!wp_check_subject(subject, why, sizeof why))
		wp_cli_fail("%s", why);
	if (check->backend.json)
		wp_check_subject_json(subject);
	else
		wp_check_print(subject, stdout);
	return wp_check_passes(subject) ? WP_EXIT_FINE : WP_EXIT_FINDING;
}

/* By what it exports: a codec, perhaps with a subject for the operations, or a subject. */
static int check_object(struct check *check)
{
	char why[600];

	/* with deviations behind its name it is a subject's */
	if (access(check->what, F_OK) == 0 &&
	    !wp_codec_load(check->what, &check->backend.codec, why, sizeof why))
		wp_cli_fail("%s: %s", check->what, why);
	check->subject.subject = wp_subject_load(check->what, why, sizeof why);
	if (check->backend.codec == NULL && check->subject.subject == NULL)
		wp_cli_fail("%s", why);
	if (check->backend.codec == NULL)
		return check_subject(check);
	check->backend.what = check->backend.codec->name;
	if (check->backend.subject == NULL)
		check->backend.subject = check->subject.subject;
	return check_backend(check);
}

/* ---- arguments ---- */

enum {
	KEY_SECONDS = WP_KEY_OWN,
	KEY_PROGRAMS,
	KEY_JOBS,
	KEY_HTML,
	KEY_REGIME,
	KEY_SEED,
	KEY_OUT,
	KEY_DEVIATIONS
};

static const struct argp_option options[] = {
	{"seconds", KEY_SECONDS, "N", 0,
         "Run operations for N seconds (default 20; of a subject, so long without a new finding: "
         "10)",
         0},
	{"programs", KEY_PROGRAMS, "N", 0, "Run N programs instead, always the same", 0},
	{"regime", KEY_REGIME, "NAME", 0,
         "Judge it as this, such as riscv64_sv48 (default: what its name says, all it serves)", 0},
	WP_OPTIONS_MACHINES,
	WP_OPTION_SUBJECT,
	WP_OPTION_JSON,
	{NULL, 0, NULL, 0, "For a backend:", 1},
	{"html", KEY_HTML, "FILE", 0, "Write the report as a page, too", 1},
	{"jobs", KEY_JOBS, "N", 0, "Worker processes (default: one for each core)", 1},
	{NULL, 0, NULL, 0, "For a subject:", 2},
	{"seed", KEY_SEED, "N", 0, "Other programs (default 1)", 2},
	{"out", KEY_OUT, "DIR", 0, "Where reproducers go (default: findings)", 2},
	{"deviations", KEY_DEVIATIONS, NULL, 0, "List the deviations that a subject may declare",
         2},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct check *check = state->input;

	switch (key) {
	case KEY_SECONDS:
		check->seconds = wp_cli_number(value, "--seconds", 0, 1000000000);
		return 0;
	case KEY_PROGRAMS:
		check->programs = wp_cli_number(value, "--programs", 1, (uint64_t)1 << 60);
		return 0;
	case KEY_JOBS:
		check->backend.jobs = (unsigned)wp_cli_number(value, "--jobs", 1, 512);
		return 0;
	case WP_KEY_JSON:
		check->backend.json = true;
		return 0;
	case KEY_HTML:
		check->backend.html = value;
		return 0;
	case KEY_REGIME:
		check->regime = value;
		return 0;
	case KEY_SEED:
		check->subject.seed = wp_cli_number(value, "--seed", 0, INT64_MAX);
		return 0;
	case KEY_OUT:
		check->subject.directory = value;
		return 0;
	case KEY_DEVIATIONS:
		check->lists = true;
		return 0;
	case WP_KEY_SUBJECT:
		check->backend.subject = wp_cli_subject(value);
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &check->without);
		return 0;
	case ARGP_KEY_ARG:
		if (check->what != NULL)
			wp_cli_fail("check takes one backend or subject: see 'walkproof check "
			            "--help'");
		check->what = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "BACKEND|./OBJECT.so",
	.doc = "Check a backend's entry format by laws and against every machine, then the library "
	       "with it by operations; or page-table code of your own, by operations.\v"
	       "BACKEND is a name, such as x86_64 or riscv64_sv48_svpbmt. A shared object is a "
	       "backend if it exports what <walkproof/codec.h> describes (scripts/check-backend "
	       "makes one of a header in the form of arch/form.h), and a subject if it exports "
	       "what "
	       "<walkproof/subject.h> does (examples/README.md: how to get there in ten minutes). "
	       "Of a subject it proposes the profile: the deviations from the contract that it "
	       "needs, each with the shortest program that shows it. Exit status: 0 all is right, "
	       "1 something is wrong or undeclared, 2 it could not start. For example:\n\n"
	       "  walkproof check aarch64 --html report.html\n"
	       "  scripts/check-backend my_arch.h --regime riscv64_sv39\n"
	       "  walkproof check ./my_mapper.so",
};

static int run(int argc, char **argv)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	static struct check check = {
		.seconds = UINT64_MAX,
		.subject = {.seed = 1, .directory = "findings"},
	};

	check.backend.jobs = cores < 1 ? 1 : (unsigned)cores;
	wp_cli_parse(&argp, argc, argv, &check);
	if (check.lists)
		return list_deviations();
	if (check.what == NULL)
		wp_cli_fail("check what? See 'walkproof check --help'");
	/* a name has neither; whoever means a file in this directory may say ./ */
	if (strchr(check.what, '/') != NULL || strstr(check.what, ".so") != NULL)
		return check_object(&check);
	return check_built_in(&check);
}

const struct wp_command wp_command_check = {
	"check", "check a backend's entry format, or page-table code of your own", run};
