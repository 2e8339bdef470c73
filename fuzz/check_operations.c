/* SPDX-License-Identifier: MIT */
#include "check_operations.h"

#include <string.h>

#include "campaign.h"
#include "cli.h"

struct operations {
	struct wp_campaign campaign; /* first: what the callbacks get */
	struct wp_check_report *report;
};

/* The shortest program is told. */
static void found(struct wp_campaign *campaign, const struct wp_report *finding)
{
	struct operations *operations = (struct operations *)campaign;
	struct wp_counterexample *example = wp_check_wrong(operations->report, WP_LINE_OPERATIONS,
	                                                   (unsigned)finding->program.count);
	FILE *out;

	if (example == NULL)
		return;
	snprintf(example->field, sizeof example->field, "%s", finding->key);
	snprintf(example->said, sizeof example->said, "breaks %s", finding->law);
	snprintf(example->found, sizeof example->found, "%s", finding->sentence);
	out = fmemopen(example->program, sizeof example->program - 1, "w");
	if (out == NULL)
		return;
	wp_program_print(&finding->program, out);
	fclose(out);
}

static void tick(struct wp_campaign *campaign)
{
	(void)campaign;
}

void wp_check_operations(const struct wp_check_options *options,
                         const struct wp_regime *const regimes[], size_t count,
                         const uint8_t absent[WP_MACHINE_KINDS], struct wp_check_report *report)
{
	static struct operations operations;
	static struct wp_stats stats;
	struct wp_campaign *campaign = &operations.campaign;
	char why[300];

	operations.report = report;
	*campaign = (struct wp_campaign){
		.subject = options->subject,
		.seed = 1,
		.programs = options->programs != 0 ? options->programs : UINT64_MAX,
		.seconds = options->seconds,
		.jobs = options->jobs,
		.patience = WP_HANG_SECONDS,
		.without = options->without,
		.sample = WP_SAMPLE,
		.checks = WP_ALL_CHECKS,
		.found = found,
		.tick = tick,
	};
	memcpy(campaign->absent, absent, sizeof campaign->absent);
	for (size_t i = 0; i < count && i < WP_MAX_ROWS; i++) {
		struct wp_row *row = &campaign->rows[campaign->row_count++];

		row->name = regimes[i]->name;
		row->scope = (struct wp_scope){.count = 1, .regimes = {regimes[i]}};
	}
	if (!wp_campaign_run(campaign, why, sizeof why))
		wp_cli_fail("%s", why);
	for (size_t i = 0; i < campaign->row_count; i++) {
		wp_campaign_stats(campaign, i, &stats);
		wp_check_compared(report, WP_LINE_OPERATIONS, stats.operations);
	}
	wp_campaign_close(campaign);
}
