/* SPDX-License-Identifier: MIT */
#include "matrix.h"

#include <string.h>

#include "cli.h"
#include "machine_set.h"

/* Programs that the judge has for a bug, and emulated CPUs, which are asked about each. */
#define PROGRAMS     200u
#define CPU_PROGRAMS 80u

/* So many times as many, for a bug that nobody finds in these. */
#define PERSISTENCE 8u

#define NAME_WIDTH 28

/*
 * What each check must find that the judge doesn't, so that it is known to be worth its
 * cost. The TLB of an emulated CPU keeps less than the model of the worst one does: what
 * `warm` is for is that the model itself may be wrong.
 */
static const struct {
	uint64_t programs;
	unsigned found, alone;
} wanted[WP_CHECKS] = {
	[WP_CHECK_STALE] = {PROGRAMS, 5, 1},
	[WP_CHECK_WARM] = {CPU_PROGRAMS, 5, 0},
	[WP_CHECK_FRAMES] = {PROGRAMS, 5, 1},
	[WP_CHECK_STORES] = {2 * PROGRAMS, 5, 1}, /* few batches empty a root's slot and fill it */
	[WP_CHECK_READING] = {PROGRAMS, 5, 1},
	[WP_CHECK_REFUSALS] = {PROGRAMS, 5, 1},
	[WP_CHECK_DAMAGE] = {2 * PROGRAMS, 5, 1}, /* a bit turned elsewhere shows nothing */
	[WP_CHECK_ACCESSED] = {PROGRAMS, 5, 1},
};

/* ---- columns ---- */

static void add_column(struct wp_matrix *matrix, const struct wp_matrix_column *column)
{
	matrix->columns[matrix->count++] = *column;
}

static void found(struct wp_campaign *campaign, const struct wp_report *report)
{
	(void)campaign;
	(void)report;
}

static void tick(struct wp_campaign *campaign)
{
	(void)campaign;
}

void wp_matrix_open(struct wp_matrix *matrix, uint64_t seed, unsigned without, bool json)
{
	const unsigned all = (1u << WP_MACHINE_KINDS) - 1 - (1u << WP_PAPER);

	*matrix = (struct wp_matrix){
		.campaign =
			{
				.seed = seed,
				.jobs = 1, /* in order, so that the same seed finds the same */
				.patience = WP_HANG_SECONDS,
				.sample = 1,
				.first_only = true,
				.as_found = true,
				.vary_all = true,
				.found = found,
				.tick = tick,
			},
		.json = json,
		.bugs = json_array(),
	};
	add_column(matrix, &(struct wp_matrix_column){
				   .name = "judge", .without = all, .programs = PROGRAMS});
	for (unsigned i = 0; i < WP_CHECKS; i++) {
		const bool warm = i == WP_CHECK_WARM;

		add_column(matrix, &(struct wp_matrix_column){
					   .name = wp_check_name(i),
					   .checks = 1u << i,
					   .without = warm ? without : all,
					   .programs = wanted[i].programs,
					   /* of each architecture some CPU must be there */
					   .found_wanted = warm && without ? 0 : wanted[i].found,
					   .alone_wanted = wanted[i].alone,
				   });
	}
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		if ((without >> kind & 1) == 0 && wp_machine_kinds[kind].open != NULL)
			add_column(matrix, &(struct wp_matrix_column){
						   .name = wp_machine_kinds[kind].name,
						   .without = all & ~(1u << kind),
						   .programs = CPU_PROGRAMS,
					   });
	}
}

/* ---- rows ---- */

/* Whether it is found with nothing but the judge and this column. */
static bool finds(struct wp_matrix *matrix, const struct wp_subject *subject,
                  const struct wp_matrix_column *column, unsigned times)
{
	struct wp_campaign *campaign = &matrix->campaign;
	char why[300];

	campaign->subject = subject;
	campaign->checks = column->checks;
	campaign->without = column->without;
	campaign->programs = column->programs * times;
	campaign->finding_count = 0;
	if (!wp_campaign_choose(campaign, NULL, 0, why, sizeof why) ||
	    !wp_campaign_run(campaign, why, sizeof why))
		wp_cli_fail("%s, %s alone: %s", subject->name, column->name, why);
	if (campaign->interrupted)
		wp_cli_fail("interrupted while '%s' was run", subject->name);
	wp_campaign_close(campaign);
	return campaign->finding_count > 0;
}

static void print_cell(const struct wp_matrix *matrix, size_t index, const char *text)
{
	printf(" %*s", (int)strlen(matrix->columns[index].name), text);
}

/*
 * A bit for each column that finds it. What the judge finds is found whatever else is on: then
 * the others aren't tried.
 */
static uint32_t try_columns(struct wp_matrix *matrix, const struct wp_subject *subject,
                            unsigned times)
{
	uint32_t found = 0;

	for (size_t i = 0; i < matrix->count && (found & 1) == 0; i++) {
		if (finds(matrix, subject, &matrix->columns[i], times))
			found |= (uint32_t)1 << i;
	}
	return found;
}

static void print_row(const struct wp_matrix *matrix, uint32_t found)
{
	const bool alone = found > 1 && (found & (found - 1)) == 0;

	for (size_t i = 0; i < matrix->count && (i == 0 || found != 1); i++)
		print_cell(matrix, i, found >> i & 1 ? "x" : ".");
	printf("%s%s\n",
	       found == 0 ? "  none"
	       : alone    ? "  only "
	                  : "",
	       alone ? matrix->columns[__builtin_ctz(found)].name : "");
}

void wp_matrix_row(struct wp_matrix *matrix, const struct wp_subject *subject)
{
	json_t *found_by = json_array();
	uint32_t found;

	if (!matrix->json) {
		printf("%-*s", NAME_WIDTH, subject->name);
		fflush(stdout);
	}
	found = try_columns(matrix, subject, 1);
	if (found == 0)
		found = try_columns(matrix, subject, PERSISTENCE);
	for (size_t i = 0; i < matrix->count; i++) {
		if ((found >> i & 1) == 0)
			continue;
		json_array_append_new(found_by, json_string(matrix->columns[i].name));
		matrix->columns[i].found++;
		matrix->columns[i].alone += i > 0 && found == (uint32_t)1 << i;
	}
	matrix->unfound += found == 0;
	if (!matrix->json)
		print_row(matrix, found);
	json_array_append_new(matrix->bugs,
	                      json_pack("{s:s, s:o}", "bug", subject->name, "found_by", found_by));
}

/* What finds something in the library itself finds it in every bug's copy of it. */
static void try_library(struct wp_matrix *matrix)
{
	for (size_t i = 0; i < matrix->count; i++) {
		if (finds(matrix, &wp_library_subject, &matrix->columns[i], 1))
			wp_cli_fail("%s finds something in the library as it is: see 'walkproof "
			            "fuzz'",
			            matrix->columns[i].name);
	}
}

void wp_matrix_heading(struct wp_matrix *matrix)
{
	try_library(matrix);
	if (matrix->json)
		return;
	printf("%-*s", NAME_WIDTH, "");
	for (size_t i = 0; i < matrix->count; i++)
		printf(" %s", matrix->columns[i].name);
	printf("\n");
}

/* ---- totals ---- */

static void print_count(const struct wp_matrix *matrix, const char *what, bool alone)
{
	printf("%-*s", NAME_WIDTH, what);
	for (size_t i = 0; i < matrix->count; i++) {
		char text[12];

		snprintf(text, sizeof text, "%u",
		         alone ? matrix->columns[i].alone : matrix->columns[i].found);
		print_cell(matrix, i, i == 0 && alone ? "" : text);
	}
	printf("\n");
}

static bool has_its_share(const struct wp_matrix *matrix, const struct wp_matrix_column *column)
{
	if (column->found >= column->found_wanted && column->alone >= column->alone_wanted)
		return true;
	if (!matrix->json)
		printf("%s finds too little: %u bugs, %u of them alone; %u and %u are wanted\n",
		       column->name, column->found, column->alone, column->found_wanted,
		       column->alone_wanted);
	return false;
}

static void print_json(const struct wp_matrix *matrix)
{
	json_t *columns = json_array();

	for (size_t i = 0; i < matrix->count; i++)
		json_array_append_new(columns,
		                      json_pack("{s:s, s:i, s:i}", "name", matrix->columns[i].name,
		                                "found", (int)matrix->columns[i].found, "alone",
		                                (int)matrix->columns[i].alone));
	wp_cli_json(json_pack("{s:o, s:o}", "bugs", matrix->bugs, "columns", columns));
}

bool wp_matrix_total(struct wp_matrix *matrix)
{
	bool enough = matrix->unfound == 0;

	if (matrix->json) {
		print_json(matrix);
	} else {
		print_count(matrix, "found", false);
		print_count(matrix, "by nothing else", true);
	}
	for (size_t i = 0; i < matrix->count; i++)
		enough &= has_its_share(matrix, &matrix->columns[i]);
	if (matrix->unfound != 0 && !matrix->json)
		printf("%u found by none\n", matrix->unfound);
	return enough;
}
