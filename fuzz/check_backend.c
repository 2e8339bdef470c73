/* SPDX-License-Identifier: MIT */
#include "check_backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_codec.h"
#include "check_json.h"
#include "check_operations.h"
#include "cli.h"

#define REGIMES 8 /* of one backend; an architecture with two halves has two */

struct backend_check {
	const struct wp_check_options *options;
	const struct wp_regime *regimes[REGIMES];
	size_t regime_count;
	struct wp_memory memory;
	struct wp_machine_set machines;
	uint8_t absent[WP_MACHINE_KINDS];
	struct wp_check_report report;
	struct wp_codec_check codec;
};

/* On a terminal, what is being done; it takes a minute, most of it QEMU's and KVM's. */
static void progress(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s", what);
}

/* ---- the machines ---- */

/* Those that don't prove themselves for these regimes are left out, and the row says so. */
static void prove(struct backend_check *check, unsigned kind)
{
	struct wp_machine_set *set = &check->machines;
	const enum wp_arch arch = check->regimes[0]->arch;
	struct wp_machine *machine = set->machines[kind][arch];

	for (size_t i = 0; machine != NULL && i < check->regime_count; i++) {
		const struct wp_regime *regime = check->regimes[i];
		char reason[150];

		wp_memory_reset(&check->memory);
		if (!machine->supports(machine, regime) ||
		    machine->self_test(machine, regime, reason, sizeof reason))
			continue;
		snprintf(set->why[kind], sizeof set->why[kind], "it fails its self-test: %s",
		         reason);
		machine->close(machine);
		set->machines[kind][arch] = NULL;
		return;
	}
}

static void open_machines(struct backend_check *check)
{
	const unsigned arch = 1u << check->regimes[0]->arch;
	char why[300];

	if (!wp_memory_open(&check->memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES))
		wp_cli_fail("no guest memory: %s", strerror(errno));
	if (!wp_machines_open(&check->machines, &check->memory, arch, check->options->without, why,
	                      sizeof why))
		wp_cli_fail("%s", why);
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++)
		prove(check, kind);
	wp_machines_absent(&check->machines, check->absent);
}

/* ---- the codec ---- */

static void skip(struct wp_check_report *report, unsigned first, unsigned end, const char *why)
{
	for (unsigned line = first; line < end; line++) {
		if (report->rows[line].compared == 0)
			wp_check_skipped(report, line, "%s", why);
	}
}

static void check_regime(struct backend_check *check, const struct wp_regime *regime)
{
	struct wp_check_report *report = &check->report;
	struct wp_codec_check *codec = &check->codec;
	char why[200];

	if (!wp_codec_check_constants(check->options->codec, regime, report)) {
		skip(report, WP_LINE_EXPRESSES, WP_CHECK_LINES, "no table can be built with these");
		return;
	}
	if (!wp_codec_tables_open(&codec->tables, check->options->codec, regime, &check->memory,
	                          why, sizeof why)) {
		skip(report, WP_LINE_EXPRESSES, WP_CHECK_LINES, why);
		return;
	}
	codec->machines = &check->machines;
	codec->report = report;
	wp_codec_check_laws(codec);
	wp_codec_check_no_access(codec);
	wp_codec_check_tables(codec);
	wp_codec_check_others(codec);
	progress("every flag set on every machine...");
	wp_codec_check_matrix(codec);
	progress("flipped bits on every machine...");
	wp_codec_check_bits(codec);
}

/* ---- all of it ---- */

static void check_operations(struct backend_check *check)
{
	struct wp_check_report *report = &check->report;

	if (check->options->subject == NULL)
		wp_check_skipped(report, WP_LINE_OPERATIONS, "there is no library to run them on");
	else if (check->options->seconds == 0 && check->options->programs == 0)
		wp_check_skipped(report, WP_LINE_OPERATIONS, "not asked for (--seconds)");
	else if (wp_check_failed(report, 0, WP_LINE_OPERATIONS))
		wp_check_skipped(report, WP_LINE_OPERATIONS, "the entry format comes first");
	else
		wp_check_operations(check->options, check->regimes, check->regime_count,
		                    check->absent, report);
}

static void name_regimes(struct backend_check *check)
{
	struct wp_check_report *report = &check->report;
	size_t at = 0;

	report->subject = check->options->what;
	for (size_t i = 0; i < check->regime_count && at < sizeof report->regimes; i++)
		at += (size_t)snprintf(report->regimes + at, sizeof report->regimes - at, "%s%s",
		                       i > 0 ? ", " : "as ", check->regimes[i]->name);
}

/* Before the work is done, so that it isn't done for nothing. */
static FILE *open_html(const char *path)
{
	FILE *out = path != NULL ? fopen(path, "w") : NULL;

	if (path != NULL && out == NULL)
		wp_cli_fail("--html %s: %s", path, strerror(errno));
	return out;
}

static void write_html(const struct wp_check_report *report, FILE *out, const char *path)
{
	wp_check_report_html(report, out);
	if (ferror(out) != 0 || fclose(out) != 0)
		wp_cli_fail("--html %s: can't write it: %s", path, strerror(errno));
}

int wp_check_backend(const struct wp_check_options *options)
{
	struct backend_check *check = calloc(1, sizeof *check);
	FILE *html;
	bool failed;

	if (check == NULL)
		wp_cli_fail("out of memory");
	check->options = options;
	check->regime_count = wp_codec_regimes(options->regime, check->regimes, REGIMES);
	if (check->regime_count == 0)
		wp_cli_fail("no regime or backend '%s': see 'walkproof machines'", options->regime);
	for (size_t i = 0; i < check->regime_count; i++) {
		if (options->subject != NULL &&
		    !wp_subject_serves(options->subject, check->regimes[i]))
			wp_cli_fail("the subject '%s' doesn't serve the regime %s",
			            options->subject->name, check->regimes[i]->name);
	}
	html = open_html(options->html);
	name_regimes(check);
	progress("machines prove themselves...");
	open_machines(check);
	for (size_t i = 0; i < check->regime_count; i++)
		check_regime(check, check->regimes[i]);
	wp_machines_close(&check->machines);
	wp_memory_close(&check->memory);
	progress("operations...");
	check_operations(check);
	progress("");
	if (options->json)
		wp_check_report_json(&check->report);
	else
		wp_check_report_print(&check->report, stdout);
	if (html != NULL)
		write_html(&check->report, html, options->html);
	failed = wp_check_failed(&check->report, 0, WP_CHECK_LINES);
	free(check);
	return failed ? WP_EXIT_FINDING : WP_EXIT_FINE;
}
