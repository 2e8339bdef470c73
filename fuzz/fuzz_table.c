/* SPDX-License-Identifier: MIT */
#include "fuzz_table.h"

#include <string.h>

#include "grid.h"
#include "machine_set.h"

void wp_fuzz_total(const struct wp_fuzz *fuzz, struct wp_stats *stats)
{
	static struct wp_stats row;

	memset(stats, 0, sizeof *stats);
	for (size_t i = 0; i < fuzz->campaign.row_count; i++) {
		wp_campaign_stats(&fuzz->campaign, i, &row);
		wp_stats_add(stats, &row);
	}
}

/* The same kind of machine serves several architectures: one sum for its name. */
static struct wp_machine_stats by_name(const struct wp_stats *stats, const char *name)
{
	struct wp_machine_stats sum = {.name = name};

	for (size_t i = 0; i < WP_MAX_MACHINES; i++) {
		if (stats->machines[i].name == NULL || strcmp(stats->machines[i].name, name) != 0)
			continue;
		sum.asked += stats->machines[i].asked;
		sum.answered += stats->machines[i].answered;
		sum.between += stats->machines[i].between;
	}
	return sum;
}

/* A machine that wasn't there, or never came to be asked, has no column. */
static bool asked(const struct wp_stats *total, size_t kind)
{
	return by_name(total, wp_machine_kinds[kind].name).asked > 0;
}

static size_t findings_of(const struct wp_campaign *campaign, size_t row)
{
	size_t count = 0;

	for (size_t i = 0; i < campaign->finding_count; i++)
		count += campaign->findings[i].row == row;
	return count;
}

/* Over-flushing shows here: of either kind, for each leaf that came, went or changed. */
static double flushes_per_page(const struct wp_stats *stats)
{
	const uint64_t pages = stats->changed_leaves;

	return pages == 0 ? 0.0 : (double)(stats->flushes + stats->full_flushes) / (double)pages;
}

static void print_table(const struct wp_fuzz *fuzz)
{
	static const char *const heads[] = {"architecture", "programs",    "operations",
	                                    "succeed",      "coverpoints", "findings",
	                                    "flushes/page", "paper probes"};
	static struct wp_grid grid;
	static struct wp_stats stats, total;

	wp_fuzz_total(fuzz, &total);
	wp_grid_row(&grid);
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		wp_grid_cell(&grid, "%s", heads[i]);
	for (size_t i = 1; i < WP_MACHINE_KINDS; i++) {
		if (asked(&total, i))
			wp_grid_cell(&grid, "%s: answered of asked", wp_machine_kinds[i].name);
	}
	for (size_t row = 0; row < fuzz->campaign.row_count; row++) {
		wp_campaign_stats(&fuzz->campaign, row, &stats);
		wp_grid_row(&grid);
		wp_grid_cell(&grid, "%s", fuzz->campaign.rows[row].name);
		wp_grid_cell(&grid, "%s", wp_number(stats.programs));
		wp_grid_cell(&grid, "%s", wp_number(stats.operations));
		wp_grid_cell(&grid, "%.1f%%",
		             100.0 * (double)stats.succeeded /
		                     (double)(stats.operations > 0 ? stats.operations : 1));
		wp_grid_cell(&grid, "%s", wp_number(stats.point_count));
		wp_grid_cell(&grid, "%zu", findings_of(&fuzz->campaign, row));
		wp_grid_cell(&grid, "%.3f", flushes_per_page(&stats));
		wp_grid_cell(&grid, "%s", wp_number(by_name(&stats, "paper").answered));
		for (size_t i = 1; i < WP_MACHINE_KINDS; i++) {
			const struct wp_machine_stats sum = by_name(&stats,
			                                            wp_machine_kinds[i].name);

			if (!asked(&total, i))
				continue;
			if (sum.asked > 0)
				wp_grid_cell(&grid, "%s of %s", wp_number(sum.answered),
				             wp_number(sum.asked));
			else
				wp_grid_cell(&grid, "-");
		}
	}
	wp_grid_print(&grid, stdout);
}

/* The statuses that no call returned, PT_MALFORMED aside; NULL-ended. */
static void statuses_never_seen(const struct wp_fuzz *fuzz, const char *names[PT_STATUSES + 1])
{
	static struct wp_stats stats;
	size_t count = 0;

	wp_fuzz_total(fuzz, &stats);
	for (unsigned status = 0; status < PT_STATUSES; status++) {
		uint64_t seen = status == PT_MALFORMED;

		for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++)
			seen += stats.statuses[opcode][status];
		if (seen == 0)
			names[count++] = pt_status_name((pt_status)status);
	}
	names[count] = NULL;
}

void wp_fuzz_print_end(const struct wp_fuzz *fuzz)
{
	const struct wp_campaign *campaign = &fuzz->campaign;
	const char *never[PT_STATUSES + 1];

	printf("%s", fuzz->terminal ? "\r\033[K" : "");
	print_table(fuzz);
	statuses_never_seen(fuzz, never);
	for (size_t i = 0; never[i] != NULL; i++)
		printf("%s%s%s", i == 0 ? "never returned: " : ", ", never[i],
		       never[i + 1] == NULL ? "\n" : "");
	for (size_t i = 0; i < campaign->finding_count; i++)
		printf("%9s program%s %s\n", wp_number(campaign->findings[i].programs),
		       campaign->findings[i].programs == 1 ? " " : "s", campaign->findings[i].key);
	if (campaign->unlisted > 0)
		printf("and %s programs with findings beyond these\n",
		       wp_number(campaign->unlisted));
	if (campaign->finding_count == 0)
		puts("no finding");
	if (campaign->interrupted)
		puts("interrupted: this is what was done until then");
}

static json_t *row_json(const struct wp_fuzz *fuzz, size_t row)
{
	static struct wp_stats stats;
	json_t *machines = json_object(), *json;

	wp_campaign_stats(&fuzz->campaign, row, &stats);
	for (size_t i = 0; i < WP_MACHINE_KINDS; i++) {
		const struct wp_machine_stats sum = by_name(&stats, wp_machine_kinds[i].name);

		json_object_set_new(machines, sum.name,
		                    json_pack("{s:I, s:I, s:I}", "asked", (json_int_t)sum.asked,
		                              "answered", (json_int_t)sum.answered,
		                              "answered_between_stores", (json_int_t)sum.between));
	}
	json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "architecture",
	                 fuzz->campaign.rows[row].name, "programs", (json_int_t)stats.programs,
	                 "operations", (json_int_t)stats.operations, "succeeded",
	                 (json_int_t)stats.succeeded, "coverpoints", (json_int_t)stats.point_count,
	                 "findings", (json_int_t)findings_of(&fuzz->campaign, row), "probes",
	                 machines);
	json_object_update_new(
		json, json_pack("{s:I, s:I, s:I, s:f}", "flushes", (json_int_t)stats.flushes,
	                        "full_flushes", (json_int_t)stats.full_flushes, "changed_pages",
	                        (json_int_t)stats.changed_leaves, "flushes_per_changed_page",
	                        flushes_per_page(&stats)));
	return json;
}

void wp_fuzz_print_json(struct wp_fuzz *fuzz)
{
	const struct wp_campaign *campaign = &fuzz->campaign;
	const char *never[PT_STATUSES + 1];
	json_t *rows = json_array(), *names = json_array();

	for (size_t row = 0; row < campaign->row_count; row++)
		json_array_append_new(rows, row_json(fuzz, row));
	statuses_never_seen(fuzz, never);
	for (size_t i = 0; never[i] != NULL; i++)
		json_array_append_new(names, json_string(never[i]));
	for (size_t i = 0; i < campaign->finding_count; i++) {
		json_t *finding = json_array_get(fuzz->findings, i);

		json_object_set_new(finding, "number",
		                    json_integer((json_int_t)campaign->findings[i].number));
		json_object_set_new(finding, "programs",
		                    json_integer((json_int_t)campaign->findings[i].programs));
	}
	wp_cli_json(json_pack("{s:s, s:I, s:f, s:b, s:o, s:o, s:o}", "subject",
	                      campaign->subject->name, "seed", (json_int_t)campaign->seed,
	                      "seconds", (double)(wp_nanoseconds() - campaign->started) / 1e9,
	                      "interrupted", campaign->interrupted, "architectures", rows,
	                      "never_returned", names, "findings", fuzz->findings));
}
