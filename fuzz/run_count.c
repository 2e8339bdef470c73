/* SPDX-License-Identifier: MIT */
/* What is counted on the way: operations, statuses, coverpoints, probes. */
#include "run_private.h"

static void reach(struct wp_runner *runner, size_t point)
{
	struct wp_stats *stats = runner->stats;

	stats->point_count += wp_points_add(&stats->points[runner->regime->arch], point);
	if (runner->point_counters != NULL && runner->point_counters[point] != UINT8_MAX)
		runner->point_counters[point]++;
}

void wp_run_count(struct wp_runner *runner, const struct wp_call *call, pt_status status)
{
	struct wp_stats *stats = runner->stats;
	size_t points[WP_POINTS_OF_A_CALL];
	size_t count;

	stats->operations++;
	if (status == WP_SUBJECT_FAILED)
		return;
	count = wp_points_of(runner->regime, runner->model, &runner->meeting, call, status, points);
	stats->succeeded += status == PT_OK;
	stats->statuses[call->opcode][status]++;
	if (call->opcode == WP_OP_MAP && status == PT_OK)
		stats->leaves[wp_size_rank(runner->regime, call->size)]++;
	for (size_t i = 0; i < count; i++)
		reach(runner, points[i]);
}

static void add_points(struct wp_stats *stats, const struct wp_stats *other)
{
	stats->point_count = 0;
	for (size_t arch = 0; arch < WP_ARCHS; arch++) {
		uint8_t *seen = stats->points[arch].seen;

		for (size_t i = 0; i < sizeof stats->points[arch].seen; i++) {
			seen[i] |= other->points[arch].seen[i];
			stats->point_count += (uint64_t)__builtin_popcount(seen[i]);
		}
	}
}

void wp_stats_add(struct wp_stats *stats, const struct wp_stats *other)
{
	stats->programs += other->programs;
	stats->operations += other->operations;
	stats->succeeded += other->succeeded;
	stats->skipped += other->skipped;
	stats->lacking += other->lacking;
	stats->unasked += other->unasked;
	stats->queries += other->queries;
	stats->flushes += other->flushes;
	stats->full_flushes += other->full_flushes;
	stats->changed_leaves += other->changed_leaves;
	for (size_t i = 0; i < WP_OPCODES; i++) {
		for (size_t j = 0; j < PT_STATUSES; j++)
			stats->statuses[i][j] += other->statuses[i][j];
	}
	for (size_t i = 0; i < WP_ARCHS; i++) {
		stats->harvested[i].leaves += other->harvested[i].leaves;
		stats->harvested[i].accessed += other->harvested[i].accessed;
		stats->harvested[i].dirty += other->harvested[i].dirty;
	}
	for (size_t i = 0; i < 5; i++)
		stats->leaves[i] += other->leaves[i];
	for (size_t i = 0; i < WP_MAX_MACHINES; i++) {
		if (other->machines[i].name)
			stats->machines[i].name = other->machines[i].name;
		stats->machines[i].asked += other->machines[i].asked;
		stats->machines[i].answered += other->machines[i].answered;
		stats->machines[i].warm += other->machines[i].warm;
		stats->machines[i].between += other->machines[i].between;
	}
	add_points(stats, other);
}
