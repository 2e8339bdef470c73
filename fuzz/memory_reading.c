/* SPDX-License-Identifier: MIT */
/*
 * L5 on arbitrary memory: what reads it ends in a bounded number of steps, whatever
 * leads back to itself or out of memory. A step is a table that is asked for.
 */
#include <inttypes.h>

#include "memory_program.h"

/* Probes whose steps are counted: the others lead through the same tables. */
#define COUNTED 16u

/* A walk that nobody stops, and that visits so many entries of each table. */
#define LIMIT 3u

/* A platform without a direct map, so that each table has to be asked for. */
struct steps {
	const struct wp_memory_runner *runner;
	unsigned tables;
};

static void *count_step(void *context, pt_paddr paddr)
{
	struct steps *steps = context;
	const struct wp_memory *memory = &steps->runner->memory;
	const uint64_t offset = paddr.value - memory->base;

	if (++steps->tables > 1000)
		wp_reading_leave();
	return offset < memory->size ? steps->runner->reading.view + offset : NULL;
}

static void judge_steps(const struct wp_memory_runner *runner, struct pt_table *table,
                        struct wp_finding *finding)
{
	const struct wp_memory_program *program = &runner->program;
	struct steps steps = {.runner = runner};
	struct pt_platform platform = runner->reading.platform;

	platform.context = &steps;
	platform.direct_size = 0;
	platform.phys_to_virt = count_step;
	table->platform = &platform;
	for (size_t i = 0; i < program->probes && i < COUNTED; i++) {
		struct pt_mapping mapping;

		steps.tables = 0;
		pt_query(table, pt_va(program->probe[i]), &mapping);
		if (steps.tables > program->regime->levels)
			wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "steps",
			         "query(%#" PRIx64 ") reads %u tables, there are %u levels",
			         program->probe[i], steps.tables, program->regime->levels);
	}
	table->platform = &runner->reading.platform;
}

struct visits {
	uint64_t made, most;
};

static enum pt_walk_next count_visit(void *context, const struct pt_visit *visit)
{
	struct visits *visits = context;

	(void)visit;
	return ++visits->made > visits->most ? PT_WALK_STOP : PT_WALK_ON;
}

static enum pt_walk_next skip_visit(void *context, const struct pt_visit *visit)
{
	struct visits *visits = context;

	(void)visit;
	visits->made++;
	return PT_WALK_SKIP;
}

static void judge_visits(const struct wp_memory_runner *runner, const struct pt_table *table,
                         struct wp_finding *finding)
{
	struct visits visits = {0, 0}, left = {0, 0}, skipped = {0, 0};
	uint64_t entries = 1;

	for (unsigned level = 0; level < runner->program.regime->levels; level++) {
		entries *= LIMIT;
		visits.most += entries;
	}
	left.most = visits.most;
	pt_walk(table, LIMIT, count_visit, NULL, &visits);
	pt_walk(table, LIMIT, NULL, count_visit, &left);
	pt_walk(table, LIMIT, skip_visit, NULL, &skipped);
	if (visits.made > visits.most)
		wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "visits",
		         "walk() makes more than %" PRIu64 " visits, %u in each table", visits.most,
		         LIMIT);
	if (left.made != visits.made)
		wp_found(finding, WP_LAW_STATUS, "left",
		         "walk() enters %" PRIu64 " entries and leaves %" PRIu64, visits.made,
		         left.made);
	if (skipped.made > LIMIT)
		wp_found(finding, WP_LAW_STATUS, "skipped",
		         "walk() makes %" PRIu64 " visits in a root whose entries are all skipped",
		         skipped.made);
}

void wp_memory_judge_reading(const struct wp_memory_runner *runner, struct pt_table *table,
                             struct wp_finding *finding)
{
	judge_steps(runner, table, finding);
	judge_visits(runner, table, finding);
}
