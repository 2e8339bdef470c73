/* SPDX-License-Identifier: MIT */
/* walkproof planted: the fuzzing must find every bug that was planted. */
#include "cli.h"

#include "campaign.h"
#include "grid.h"
#include "machine_set.h"
#include "matrix.h"

struct planted {
	struct wp_campaign campaign; /* first: found() is given this */
	bool json, list, matrix;
	const char *name; /* NULL: all */
	struct wp_report report;
	size_t survived;
	json_t *bugs;
};

static void found(struct wp_campaign *campaign, const struct wp_report *report)
{
	struct planted *planted = (struct planted *)campaign;

	if (campaign->finding_count == 1)
		planted->report = *report;
}

static void tick(struct wp_campaign *campaign)
{
	(void)campaign;
}

static void say(struct planted *planted, double seconds)
{
	const struct wp_campaign *campaign = &planted->campaign;
	const struct wp_subject *subject = campaign->subject;
	const bool caught = campaign->finding_count > 0;
	const uint64_t programs = caught ? campaign->findings[0].number + 1 : 0;

	json_array_append_new(planted->bugs,
	                      json_pack("{s:s, s:s, s:b, s:s?, s:I, s:i, s:f}", "bug",
	                                subject->name, "what", subject->what, "found", caught,
	                                "key", caught ? planted->report.key : NULL, "programs",
	                                (json_int_t)programs, "operations",
	                                caught ? (int)planted->report.program.count : 0, "seconds",
	                                seconds));
	if (planted->json)
		return;
	if (caught)
		printf("%-28s found: %s, program %s, %.1f s, shrunk to %zu operation%s\n",
		       subject->name, planted->report.key, wp_number(programs), seconds,
		       planted->report.program.count,
		       planted->report.program.count == 1 ? "" : "s");
	else
		printf("%-28s SURVIVES %.0f s: %s\n", subject->name, seconds, subject->what);
	fflush(stdout);
}

static void hunt(struct planted *planted, const struct wp_subject *subject)
{
	struct wp_campaign *campaign = &planted->campaign;
	char why[300];

	campaign->subject = subject;
	campaign->finding_count = 0;
	campaign->unlisted = 0;
	if (!wp_campaign_choose(campaign, NULL, 0, why, sizeof why) ||
	    !wp_campaign_run(campaign, why, sizeof why))
		wp_cli_fail("%s: %s", subject->name, why);
	if (campaign->interrupted)
		wp_cli_fail("interrupted while '%s' was run", subject->name);
	say(planted, (double)(wp_nanoseconds() - campaign->started) / 1e9);
	planted->survived += campaign->finding_count == 0;
	wp_campaign_close(campaign);
}

/* ---- which checks find it ---- */

static int matrix(const struct planted *planted)
{
	const struct wp_campaign *campaign = &planted->campaign;
	static struct wp_matrix matrix;

	wp_matrix_open(&matrix, campaign->seed, campaign->without, planted->json);
	wp_matrix_heading(&matrix);
	if (planted->name != NULL) {
		wp_matrix_row(&matrix, wp_cli_subject(planted->name));
		if (planted->json)
			wp_cli_json(matrix.bugs);
		return matrix.unfound > 0 ? WP_EXIT_FINDING : WP_EXIT_FINE;
	}
	for (size_t i = 0; i < wp_planted_subject_count; i++)
		wp_matrix_row(&matrix, wp_planted_subjects[i]);
	return wp_matrix_total(&matrix) ? WP_EXIT_FINE : WP_EXIT_FINDING;
}

/* ---- arguments ---- */

enum { KEY_SECONDS = WP_KEY_OWN, KEY_SEED, KEY_LIST, KEY_MATRIX };

static const struct argp_option options[] = {
	{"seconds-each", KEY_SECONDS, "N", 0, "Give up on a bug after N seconds (default 20)", 0},
	{"seed", KEY_SEED, "N", 0, "Other programs (default 1)", 0},
	{"list", KEY_LIST, NULL, 0, "Only list the bugs", 0},
	{"matrix", KEY_MATRIX, NULL, 0,
         "For each bug, which checks and machines find it, each alone beside the judge", 0},
	WP_OPTIONS_MACHINES,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct planted *planted = state->input;

	switch (key) {
	case KEY_SECONDS:
		planted->campaign.seconds = wp_cli_number(value, "--seconds-each", 1, 1000000);
		return 0;
	case KEY_SEED:
		planted->campaign.seed = wp_cli_number(value, "--seed", 0, INT64_MAX);
		return 0;
	case KEY_MATRIX:
		planted->matrix = true;
		return 0;
	case KEY_LIST:
		planted->list = true;
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &planted->campaign.without);
		return 0;
	case WP_KEY_JSON:
		planted->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (planted->name != NULL)
			wp_cli_fail(
				"planted takes one name or none: see 'walkproof planted --help'");
		planted->name = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[NAME]",
	.doc = "Run the fuzzing on the library with one bug planted at a time, until it is found. "
	       "A "
	       "bug that survives means that the fuzzing has gone blind.\v"
	       "Exit status: 0 if every bug is found, 1 if one survives, or if in the matrix a "
	       "check finds too few that nothing else finds. For example:\n\n"
	       "  walkproof planted\n"
	       "  walkproof planted --matrix --without qemu\n"
	       "  walkproof planted --seconds-each 60 x86-user-bit\n\n"
	       "and its reproducers:\n\n"
	       "  walkproof fuzz --subject x86-user-bit --programs 100",
};

static int list(const struct planted *planted)
{
	for (size_t i = 0; i < wp_planted_subject_count; i++) {
		const struct wp_subject *subject = wp_planted_subjects[i];

		json_array_append_new(planted->bugs,
		                      json_pack("{s:s, s:s, s:s, s:b}", "bug", subject->name,
		                                "what", subject->what, "regimes", subject->regimes,
		                                "damaged", subject->damaged_only));
		if (!planted->json)
			printf("%-28s %s\n", subject->name, subject->what);
	}
	if (planted->json)
		wp_cli_json(planted->bugs);
	return WP_EXIT_FINE;
}

static int run(int argc, char **argv)
{
	static struct planted planted;

	planted.campaign = (struct wp_campaign){
		.programs = UINT64_MAX,
		.seconds = 20,
		.seed = 1,
		.jobs = 1, /* in order, so that the same seed finds at the same program */
		.patience = WP_HANG_SECONDS,
		.sample = WP_SAMPLE,
		.checks = WP_ALL_CHECKS,
		.first_only = true,
		.found = found,
		.tick = tick,
	};
	wp_cli_parse(&argp, argc, argv, &planted);
	planted.bugs = json_array();
	if (planted.list)
		return list(&planted);
	if (planted.matrix)
		return matrix(&planted);
	if (planted.name != NULL) {
		hunt(&planted, wp_cli_subject(planted.name));
	} else {
		for (size_t i = 0; i < wp_planted_subject_count; i++)
			hunt(&planted, wp_planted_subjects[i]);
	}
	if (planted.json)
		wp_cli_json(planted.bugs);
	else if (planted.survived > 0)
		printf("%zu survived\n", planted.survived);
	return planted.survived > 0 ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_planted = {
	"planted", "check that the fuzzing finds the bugs planted on purpose", run};
