/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "damage_private.h"
#include "predict.h"
#include "subject_perform.h"

#define LAW WP_LAW_ARBITRARY_MEMORY

#define VISITS_MOST 4000u /* of one walk() */

/* ---- walk ---- */

struct tour {
	struct wp_damaged *d;
	uint64_t visits;
	bool stopped;
};

/* Tables that lead to themselves have more visits than anyone has time for. */
static enum pt_walk_next tour_visit(void *context, const struct pt_visit *visit)
{
	struct tour *tour = context;

	(void)visit;
	if (tour->stopped)
		wp_found(&tour->d->result->finding, LAW, "walk-stop",
		         "walk() goes on after it was told to stop");
	tour->stopped = ++tour->visits >= VISITS_MOST;
	return tour->stopped ? PT_WALK_STOP : PT_WALK_ON;
}

static void run_walk(struct wp_damaged *d, const struct wp_call *call)
{
	struct tour tour = {.d = d};

	d->runner->subject->walk(d->runner->instance, call->table, call->count, tour_visit, NULL,
	                         &tour);
}

/* ---- the second part ---- */

static void run_batch(struct wp_damaged *d, const struct wp_call *call)
{
	bool *batched = &d->runner->batched[call->table];

	if (*batched == (call->opcode == WP_OP_BATCH))
		return;
	*batched = call->opcode == WP_OP_BATCH;
	wp_subject_batch(d->runner->subject, d->runner->instance, call);
}

/* By the model, which is of before the damage: as undamaged tables are asked. */
static bool is_asked(struct wp_damaged *d, struct wp_call *call)
{
	struct wp_runner *runner = d->runner;
	const wp_profile profile = runner->subject->profile;

	if (!wp_subject_offers(runner->subject, call->opcode))
		return false;
	if (profile == 0)
		return true;
	if (wp_profile_leaves_out(profile, runner->model, call))
		return false;
	wp_profile_align(profile, runner->model, call);
	if (call->opcode >= WP_OP_WALK)
		return true;
	wp_model_copy(runner->aside, runner->model);
	return !wp_profile_avoids(profile, call, wp_predict(runner->aside, call, SIZE_MAX).status);
}

void wp_damage_operate(struct wp_damaged *d, const struct wp_call *asked)
{
	struct wp_call call = *asked;

	d->name = wp_opcode_name(call.opcode);
	d->stores = d->flushes = d->frees = 0;
	if (!wp_model_exists(d->runner->model, call.table) || !is_asked(d, &call))
		return;
	if (call.opcode == WP_OP_WALK)
		run_walk(d, &call);
	else if (call.opcode >= WP_OP_BATCH && call.opcode <= WP_OP_IGNORE)
		run_batch(d, &call);
	else if (call.opcode == WP_OP_REFUSE)
		wp_memory_refuse(&d->runner->memory, call.count, call.once);
	else if (call.opcode == WP_OP_ALLOW)
		wp_memory_allow(&d->runner->memory);
	else if (call.opcode < WP_OP_WALK)
		wp_damage_call(d, &call);
}

/* In the model's eyes the tables are as they were before the damage: addresses come from there. */
static void second_part(void *context)
{
	struct wp_damaged *d = context;
	struct wp_finding *finding = &d->result->finding;
	struct wp_call call = {0};

	for (; d->result->op < d->program->count && !finding->found; d->result->op++) {
		wp_op_resolve(&d->program->ops[d->result->op], d->runner->regime, d->runner->model,
		              &call);
		d->result->opcode = call.opcode;
		wp_damage_operate(d, &call);
		if (finding->found)
			return;
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		for (size_t i = 0; i < d->damaged[table] && !finding->found; i++)
			wp_damage_aim(d, table, d->va[table][i]);
		for (size_t i = 0; i < d->damaged[table] && !finding->found; i++)
			wp_damage_aim_harvest(d, table, d->va[table][i]);
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES && !finding->found; table++) {
		call = (struct wp_call){.opcode = WP_OP_FLUSH, .table = table};
		wp_damage_operate(d, &call);
		if (!wp_model_exists(d->runner->model, table))
			continue;
		for (size_t i = 0; i < d->count[table]; i++)
			wp_damage_agree(d, table, d->va[table][i]);
		wp_damage_ask(d, table);
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES && !finding->found; table++) {
		call = (struct wp_call){.opcode = WP_OP_WALK, .table = table, .count = SIZE_MAX};
		wp_damage_operate(d, &call);
	}
}

/* What query() says of the damage by itself may already crash. */
static void look_and_go_on(void *context)
{
	struct wp_damaged *d = context;

	d->name = wp_opcode_name(WP_OP_QUERY);
	d->result->opcode = WP_OP_QUERY;
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		d->damaged[table] = d->count[table];
		for (size_t i = 0; i < d->damaged[table]; i++)
			wp_damage_agree(d, table, d->va[table][i]);
	}
	second_part(d);
}

/* Damages, runs the second part, and tells how it ended if it didn't end by itself. */
static void run_damaged(struct wp_damaged *d)
{
	struct wp_runner *runner = d->runner;
	const struct pt_platform before = runner->platform;
	struct wp_finding *finding = &d->result->finding;
	uint64_t address;
	enum wp_watched end;

	runner->platform = wp_damage_platform(d, &before);
	wp_memory_allow(&runner->memory);
	wp_damage_tables(d);
	/* a shared object has a process of its own to crash in */
	end = wp_reading_watch(&runner->reading, runner->subject->calls == NULL, look_and_go_on, d,
	                       &address);
	if (end == WP_WATCHED_STORE)
		wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "query() or walk() stored to a damaged table at %#" PRIx64, address);
	else if (end == WP_WATCHED_CRASH)
		wp_found(finding, LAW, "crash",
		         "%s() on damaged tables accesses %#" PRIx64 ", which is not memory",
		         d->name, address);
	runner->platform = before;
	wp_memory_audit(&runner->memory);
	if (runner->memory.crime == WP_FRAME_WRITTEN_AFTER_FREE ||
	    runner->memory.crime == WP_FRAME_WRITTEN_FOREIGN)
		wp_found(finding, LAW, "store-outside",
		         "a call on damaged tables wrote to the free frame %#" PRIx64,
		         runner->memory.crime_frame);
}

/* What query() says of the damage is query()'s, whatever was called since. */
static void name_finding(struct wp_result *result, enum wp_arch arch, bool at_end)
{
	const bool queried = strncmp(result->finding.kind, "query-", 6) == 0;
	size_t length;

	wp_result_name(result, arch,
	               queried  ? "query"
	               : at_end ? "end"
	                        : wp_opcode_name(result->opcode));
	length = strlen(result->key);
	snprintf(result->key + length, sizeof result->key - length, "-damaged");
}

bool wp_damage_run(struct wp_runner *runner, const struct wp_program *program,
                   const struct wp_damage *damage, struct wp_damage_stats *stats,
                   struct wp_result *result)
{
	const unsigned checks = runner->checks;
	const size_t machines = runner->machine_count;
	struct wp_damaged *d;
	bool fine;

	memset(result, 0, sizeof *result);
	if (wp_deviates(runner->subject->profile, WP_TRUSTS_TABLES))
		return true;
	d = calloc(1, sizeof *d);
	if (!d)
		abort();
	*d = (struct wp_damaged){
		.runner = runner, .program = program, .result = result, .stats = stats};
	wp_random_seed(&d->random, damage->seed);
	/* what the first part may break is judged elsewhere; L5 holds on, if it is asked for */
	runner->checks = checks & 1u << WP_CHECK_READING;
	runner->machine_count = 0;
	fine = wp_run_until(runner, program, damage->at, result);
	runner->machine_count = machines;
	if (fine) {
		stats->runs++;
		run_damaged(d);
		fine = !result->finding.found;
		if (!fine)
			name_finding(result, program->regime->arch, result->op >= program->count);
	}
	runner->checks = checks;
	free(d);
	return fine;
}

bool wp_damage_some(struct wp_runner *runner, const struct wp_program *program,
                    struct wp_damage *damage, struct wp_result *result)
{
	const uint64_t hash = wp_program_hash(program);
	struct wp_damage_stats aside = {0};

	if (!wp_run_checks(runner, WP_CHECK_DAMAGE) || program->count == 0 ||
	    (!runner->varies_all && (hash >> 19) % WP_DAMAGE_ONE_IN != 0))
		return true;
	*damage = (struct wp_damage){1 + (hash >> 25) % program->count, hash >> 11};
	return wp_damage_run(runner, program, damage, &aside, result);
}
