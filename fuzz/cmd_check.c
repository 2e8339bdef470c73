/* SPDX-License-Identifier: MIT */
/* walkproof check: a backend by itself, with a report. */
#include "cli.h"

#include <string.h>
#include <unistd.h>

#include "check_backend.h"

/* ---- what is checked ---- */

/* A name has neither; whoever means a file in this directory may say ./ */
static bool is_path(const char *what)
{
	return strchr(what, '/') != NULL || strstr(what, ".so") != NULL;
}

static void find_built_in(struct wp_check_options *options)
{
	char names[600];

	options->codec = wp_codec_find(options->what);
	if (options->codec == NULL) {
		wp_codec_names(names, sizeof names);
		wp_cli_fail("no backend '%s', and no path to a shared object: there is %s",
		            options->what, names);
	}
	if (options->regime == NULL)
		options->regime = options->what;
	if (options->subject == NULL)
		options->subject = &wp_library_subject;
}

/* Its codec alone: `subject` stays NULL, and the row of operations says so. */
static void load(struct wp_check_options *options)
{
	char why[300];

	options->codec = wp_codec_load(options->what, why, sizeof why);
	if (options->codec == NULL)
		wp_cli_fail("%s: %s", options->what, why);
	if (options->regime == NULL)
		options->regime = options->codec->name;
	options->what = options->codec->name;
}

/* ---- arguments ---- */

enum { KEY_SECONDS = WP_KEY_OWN, KEY_PROGRAMS, KEY_JOBS, KEY_HTML, KEY_REGIME };

static const struct argp_option options[] = {
	{"seconds", KEY_SECONDS, "N", 0, "Run operations for N seconds (default 20; 0: none)", 0},
	{"programs", KEY_PROGRAMS, "N", 0, "Run N programs instead, always the same", 0},
	{"jobs", KEY_JOBS, "N", 0, "Worker processes (default: one for each core)", 0},
	{"html", KEY_HTML, "FILE", 0, "Write the report as a page, too", 0},
	{"regime", KEY_REGIME, "NAME", 0,
         "Judge it as this regime or backend (default: what its name says)", 0},
	WP_OPTIONS_MACHINES,
	WP_OPTION_SUBJECT,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct wp_check_options *check = state->input;

	switch (key) {
	case KEY_SECONDS:
		check->seconds = wp_cli_number(value, "--seconds", 0, 1000000000);
		return 0;
	case KEY_PROGRAMS:
		check->programs = wp_cli_number(value, "--programs", 1, (uint64_t)1 << 60);
		return 0;
	case KEY_JOBS:
		check->jobs = (unsigned)wp_cli_number(value, "--jobs", 1, 512);
		return 0;
	case KEY_HTML:
		check->html = value;
		return 0;
	case KEY_REGIME:
		check->regime = value;
		return 0;
	case WP_KEY_SUBJECT:
		check->subject = wp_cli_subject(value);
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &check->without);
		return 0;
	case ARGP_KEY_ARG:
		if (check->what != NULL)
			wp_cli_fail("check takes one backend: see 'walkproof check --help'");
		check->what = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		wp_cli_fail("check which backend? See 'walkproof check --help'");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "BACKEND",
	.doc = "Check a backend's entry format and constants by laws and against every machine, "
	       "then the library with it by operations.\v"
	       "BACKEND is a name, such as x86_64 or riscv64_sv48_svpbmt, or a shared object that "
	       "exports walkproof_codec: see walkproof/codec.h, and scripts/check-backend, which "
	       "makes one of a header in the form of arch/form.h. Exit status: 0 all is right, 1 "
	       "something is wrong, 2 it could not start. For example:\n\n"
	       "  walkproof check aarch64 --html report.html\n"
	       "  scripts/check-backend my_arch.h --regime riscv64_sv39",
};

static int run(int argc, char **argv)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);

	struct wp_check_options check = {.seconds = 20, .jobs = cores < 1 ? 1 : (unsigned)cores};

	wp_cli_parse(&argp, argc, argv, &check);
	if (is_path(check.what))
		load(&check);
	else
		find_built_in(&check);
	return wp_check_backend(&check);
}

const struct wp_command wp_command_check = {"check", "check a backend's entry format, by itself",
                                            run};
