/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "damage_private.h"
#include "shrink.h"
#include "subject_perform.h"

#define LAW WP_LAW_ARBITRARY_MEMORY

/* Of one call: no range is so long that it takes more. */
#define STORES_MOST 400000u
#define VISITS_MOST 4000u

/* ---- the platform from the damage on ---- */

static bool damaged_alloc(void *context, pt_paddr *frame)
{
	struct wp_damaged *d = context;

	return wp_memory_alloc(&d->runner->memory, &frame->value);
}

/* A frame that two entries lead to may be given back twice: that is the damage's doing. */
static void damaged_free(void *context, pt_paddr frame)
{
	struct wp_damaged *d = context;

	if (++d->frees > d->runner->memory.frames) {
		wp_found(&d->result->finding, LAW, "endless",
		         "%s() gives back frames without an end", d->name);
		wp_reading_leave();
	}
	if (wp_memory_is_used(&d->runner->memory, frame.value))
		wp_memory_free(&d->runner->memory, frame.value);
}

static void damaged_flush(void *context, pt_vaddr vaddr)
{
	struct wp_damaged *d = context;

	(void)vaddr;
	d->flushes++;
}

static void damaged_flush_all(void *context)
{
	struct wp_damaged *d = context;

	d->flushes++;
}

static void damaged_stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	struct wp_damaged *d = context;
	const struct wp_memory *memory = &d->runner->memory;
	const uint64_t pa = memory->base + (uint64_t)((const uint8_t *)entry - memory->host);

	(void)before;
	(void)after;
	if (!wp_memory_is_used(memory, wp_frame_of(memory, pa)))
		wp_found(&d->result->finding, LAW, "store-outside",
		         "%s() stored to %#" PRIx64 ", which no frame of its own holds", d->name,
		         pa);
	if (++d->stores <= STORES_MOST)
		return;
	wp_found(&d->result->finding, LAW, "endless", "%s() stores without an end", d->name);
	wp_reading_leave();
}

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

static void operate(struct wp_damaged *d, const struct wp_call *call)
{
	d->name = wp_opcode_name(call->opcode);
	d->stores = d->flushes = d->frees = 0;
	if (!wp_model_exists(d->runner->model, call->table))
		return;
	if (call->opcode == WP_OP_WALK)
		run_walk(d, call);
	else if (call->opcode >= WP_OP_BATCH && call->opcode <= WP_OP_IGNORE)
		run_batch(d, call);
	else if (call->opcode == WP_OP_REFUSE)
		wp_memory_refuse(&d->runner->memory, call->count, call->once);
	else if (call->opcode == WP_OP_ALLOW)
		wp_memory_allow(&d->runner->memory);
	else if (call->opcode < WP_OP_WALK)
		wp_damage_call(d, call);
}

/* What damage was done has calls aimed at it, as programs rarely meet it by themselves. */
static void aim(struct wp_damaged *d, unsigned table, uint64_t va)
{
	static const enum wp_opcode opcodes[] = {WP_OP_MAP, WP_OP_MAP_REGION, WP_OP_PROTECT,
	                                         WP_OP_UNMAP_REGION, WP_OP_UNMAP};
	const uint64_t page = wp_regime_page(d->runner->regime);
	struct wp_call call = {
		.table = table,
		.va = va & ~(page - 1),
		.pa = PT_1G,
		.size = page,
		.flags = PT_READ | PT_WRITE | PT_EXECUTE,
	};

	for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
		/* beside it, below the same tables, there may be a hole */
		for (call.opcode = opcodes[i]; !d->result->finding.found;) {
			operate(d, &call);
			if (call.va != (va & ~(page - 1)))
				break;
			call.va ^= page;
		}
		call.va = va & ~(page - 1);
	}
}

/* What must be cleared is. */
static void judge_harvest(struct wp_damaged *d, unsigned table, uint64_t va, pt_uses uses)
{
	struct wp_runner *runner = d->runner;
	struct pt_mapping mapping;

	if (runner->subject->query(runner->instance, table, va, &mapping) != PT_OK)
		return;
	if ((mapping.accessed && (uses & PT_ACCESSED)) || (mapping.dirty && (uses & PT_DIRTY)))
		wp_found(&d->result->finding, LAW, "not-harvested",
		         "harvest() returned PT_OK, and the leaf at %#" PRIx64 " is still %s", va,
		         mapping.accessed ? "accessed" : "dirty");
	wp_damage_agree(d, table, va);
}

static void hear(void *context, const struct pt_mapping *leaf)
{
	(void)context;
	(void)leaf;
}

/* No operation of a program is a harvest. The last three are asked for wrongly. */
static void aim_harvest(struct wp_damaged *d, unsigned table, uint64_t va)
{
	const uint64_t page = wp_regime_page(d->runner->regime);
	const struct {
		uint64_t size;
		pt_uses uses;
		pt_leaf_visitor visit;
	} asked[] = {
		{page, PT_ACCESSED, hear}, {1024 * page, PT_DIRTY, NULL},
		{8, PT_ACCESSED, hear},    {0, PT_ACCESSED, hear},
		{page, 0, hear},
	};
	const struct wp_subject *subject = d->runner->subject;
	const unsigned never = 1u << PT_NO_MEMORY | 1u << PT_NOT_MAPPED | 1u << PT_ALREADY_MAPPED |
	                       1u << PT_MAPPED_TO_HUGE_PAGE;

	if (!subject->harvest || !wp_model_exists(d->runner->model, table))
		return;
	d->name = "harvest";
	for (size_t i = 0; i < sizeof asked / sizeof asked[0] && !d->result->finding.found; i++) {
		pt_status status;

		d->stores = d->flushes = d->frees = 0;
		status = subject->harvest(d->runner->instance, table, va & ~(page - 1),
		                          asked[i].size, asked[i].uses, asked[i].visit, NULL);
		if (never >> status & 1 || (status != PT_OK && (d->stores | d->flushes) != 0))
			wp_found(&d->result->finding, LAW, "status",
			         "harvest() returned %s after %" PRIu64 " stores and %" PRIu64
			         " flushes",
			         pt_status_name(status), d->stores, d->flushes);
		if (status == PT_OK)
			judge_harvest(d, table, va & ~(page - 1), asked[i].uses);
	}
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
		operate(d, &call);
		if (finding->found)
			return;
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		for (size_t i = 0; i < d->damaged[table] && !finding->found; i++)
			aim(d, table, d->va[table][i]);
		for (size_t i = 0; i < d->damaged[table] && !finding->found; i++)
			aim_harvest(d, table, d->va[table][i]);
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES && !finding->found; table++) {
		call = (struct wp_call){.opcode = WP_OP_FLUSH, .table = table};
		operate(d, &call);
		if (!wp_model_exists(d->runner->model, table))
			continue;
		for (size_t i = 0; i < d->count[table]; i++)
			wp_damage_agree(d, table, d->va[table][i]);
		wp_damage_ask(d, table);
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES && !finding->found; table++) {
		call = (struct wp_call){.opcode = WP_OP_WALK, .table = table, .count = SIZE_MAX};
		operate(d, &call);
	}
}

/* What query() says of the damage by itself may already crash. */
static void look_and_go_on(void *context)
{
	struct wp_damaged *d = context;

	d->name = wp_opcode_name(WP_OP_QUERY);
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

	/* of the judge's hooks none stays */
	runner->platform = (struct pt_platform){
		.context = d,
		.alloc_frame = damaged_alloc,
		.free_frame = damaged_free,
		.direct_first = before.direct_first,
		.direct_size = before.direct_size,
		.direct_base = before.direct_base,
		.flush_address = damaged_flush,
		.flush_all = damaged_flush_all,
		.stored = damaged_stored,
	};
	wp_memory_allow(&runner->memory);
	wp_damage_tables(d);
	end = wp_reading_watch(&runner->reading, true, look_and_go_on, d, &address);
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

static void name_finding(struct wp_result *result, const struct wp_regime *regime, bool at_end)
{
	snprintf(result->key, sizeof result->key, "%s-L%d-%s-%s-damaged",
	         wp_arch_name(regime->arch), (int)result->finding.law,
	         at_end ? "end" : wp_opcode_name(result->opcode), result->finding.kind);
	for (char *c = result->key; *c != '\0'; c++) {
		if (*c == ' ')
			*c = '-';
	}
}

bool wp_damage_run(struct wp_runner *runner, const struct wp_program *program,
                   const struct wp_damage *damage, struct wp_damage_stats *stats,
                   struct wp_result *result)
{
	const unsigned checks = runner->checks;
	const size_t machines = runner->machine_count;
	struct wp_damaged *d = calloc(1, sizeof *d);
	bool fine;

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
			name_finding(result, program->regime, result->op >= program->count);
	}
	runner->checks = checks;
	free(d);
	return fine;
}

/* ---- shrinking, and campaigns ---- */

/* Without operation `index`, if that breaks the same law in the same way. */
static bool drop(struct wp_runner *runner, struct wp_program *program, struct wp_damage *damage,
                 size_t index, struct wp_result *result)
{
	static struct wp_program candidate;
	const struct wp_damage moved = {damage->at - (index < damage->at), damage->seed};
	struct wp_damage_stats aside = {0};
	struct wp_result now;

	candidate.regime = program->regime;
	candidate.count = program->count - 1;
	memcpy(candidate.ops, program->ops, index * sizeof candidate.ops[0]);
	memcpy(&candidate.ops[index], &program->ops[index + 1],
	       (candidate.count - index) * sizeof candidate.ops[0]);
	if (wp_damage_run(runner, &candidate, &moved, &aside, &now) ||
	    strcmp(now.key, result->key) != 0)
		return false;
	*program = candidate;
	*damage = moved;
	*result = now;
	return true;
}

struct shrinking {
	struct wp_runner *runner;
	const struct wp_damage *damage;
};

static bool breaks(void *context, const struct wp_program *candidate, struct wp_result *result,
                   struct wp_program *settled)
{
	const struct shrinking *shrinking = context;
	struct wp_damage_stats aside = {0};

	(void)settled;
	return !wp_damage_run(shrinking->runner, candidate, shrinking->damage, &aside, result);
}

void wp_damage_shrink(struct wp_runner *runner, struct wp_program *program,
                      struct wp_damage *damage, struct wp_result *result)
{
	struct shrinking shrinking = {runner, damage};
	const struct wp_shrink_judge judge = {breaks, &shrinking};
	bool simpler;

	if (result->op < program->count)
		program->count = result->op + 1;
	do {
		bool dropped = false;

		for (size_t i = program->count; i-- > 0;)
			dropped |= drop(runner, program, damage, i, result);
		simpler = dropped ||
		          wp_shrink_arguments_by(&judge, program, result, WP_SHRINK_RUNS);
	} while (simpler);
}

bool wp_damage_some(struct wp_runner *runner, const struct wp_program *program,
                    struct wp_damage *damage, struct wp_result *result)
{
	const uint64_t hash = wp_run_hash(program);
	struct wp_damage_stats aside = {0};

	/* a shared object may trust its own tables; what it makes of others is its own affair */
	if (!wp_run_checks(runner, WP_CHECK_DAMAGE) || program->count == 0 ||
	    runner->subject->calls != NULL ||
	    (!runner->varies_all && (hash >> 19) % WP_DAMAGE_ONE_IN != 0))
		return true;
	*damage = (struct wp_damage){1 + (hash >> 25) % program->count, hash >> 11};
	return wp_damage_run(runner, program, damage, &aside, result);
}
