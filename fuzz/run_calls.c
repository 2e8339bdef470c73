/* SPDX-License-Identifier: MIT */
/* One operation: what the model predicts, what the subject does, and whether they agree. */
#include "run_private.h"

#include <inttypes.h>

#include "subject_perform.h"

static struct wp_outcome perform(struct wp_runner *runner, const struct wp_call *call)
{
	const bool rounded = runner->subject->profile != 0 && call->opcode <= WP_OP_REMAP;

	if (call->opcode == WP_OP_UNMAP_REGION)
		return (struct wp_outcome){.status = wp_run_accessed_unmap_region(runner, call)};
	if (call->opcode == WP_OP_HARVEST)
		return (struct wp_outcome){.status = wp_run_harvest(runner, call)};
	return wp_subject_perform(runner->subject, runner->instance, runner->regime,
	                          rounded ? &runner->asked : call);
}

/* Of a foreign subject there is more to find: a wrong status is named after the right one. */
static const char *status_kind(const struct wp_subject *subject, pt_status right)
{
	static const char *const kinds[PT_STATUSES] = {
		[PT_OK] = "status-ok",
		[PT_NO_MEMORY] = "status-no-memory",
		[PT_NOT_ALIGNED] = "status-not-aligned",
		[PT_NOT_MAPPED] = "status-not-mapped",
		[PT_ALREADY_MAPPED] = "status-already-mapped",
		[PT_MAPPED_TO_HUGE_PAGE] = "status-mapped-to-huge-page",
		[PT_BAD_ADDRESS] = "status-bad-address",
		[PT_BAD_SIZE] = "status-bad-size",
		[PT_BAD_FLAGS] = "status-bad-flags",
		[PT_MALFORMED] = "status-malformed",
		[PT_BORROWED] = "status-borrowed",
	};

	return subject->calls != NULL ? kinds[right] : "status";
}

static void judge_outcome(struct wp_runner *runner, const struct wp_call *call,
                          const struct wp_verdict *verdict, const struct wp_outcome *outcome)
{
	struct wp_finding *finding = &runner->result->finding;
	const struct pt_mapping *told = &outcome->told;
	const bool replaces = call->opcode == WP_OP_PROTECT || call->opcode == WP_OP_REMAP;
	char said[8], right[8];

	if (outcome->status != verdict->status)
		wp_found(finding, WP_LAW_STATUS, status_kind(runner->subject, verdict->status),
		         "%s() returned %s, it must return %s", wp_opcode_name(call->opcode),
		         wp_status_text(outcome->status), wp_status_text(verdict->status));
	else if (outcome->status == PT_OK && !replaces &&
	         !wp_mapping_equal(told, &verdict->mapping))
		wp_found(finding, WP_LAW_STATUS, "mapping",
		         "%s(%#" PRIx64 ") says %#" PRIx64 " -> %#" PRIx64 ", size %#" PRIx64
		         ", %s; it must say %#" PRIx64 " -> %#" PRIx64 ", size %#" PRIx64 ", %s",
		         wp_opcode_name(call->opcode), call->va, told->vaddr.value,
		         told->paddr.value, told->size, wp_flags_text(told->flags, said),
		         verdict->mapping.vaddr.value, verdict->mapping.paddr.value,
		         verdict->mapping.size, wp_flags_text(verdict->mapping.flags, right));
	else if (outcome->status == PT_OK && replaces && told->size != verdict->size)
		wp_found(finding, WP_LAW_STATUS, "size",
		         "%s(%#" PRIx64 ") says size %#" PRIx64 ", it must say %#" PRIx64,
		         wp_opcode_name(call->opcode), call->va, told->size, verdict->size);
}

/* L2: what the call has recorded in a batch, to be flushed later. */
static unsigned recorded(const struct wp_runner *runner, unsigned table)
{
	const struct wp_subject *subject = runner->subject;

	if (!wp_run_checks(runner, WP_CHECK_REFUSALS) || !subject->batch_recorded)
		return 0;
	return subject->batch_recorded(runner->instance, table);
}

/* Of a region that is done in part there are as many frames as its parts take. */
static size_t frames_of_parts(const struct wp_runner *runner, const struct wp_call *call,
                              const struct wp_verdict *verdict, size_t before)
{
	if (wp_deviates(runner->subject->profile, WP_NO_RECLAIM))
		return runner->memory.in_use;
	return before + verdict->allocated - (runner->batched[call->table] ? 0 : verdict->removed);
}

/* A call with a status: the ten that change a table, and query. */
static void run_status_call(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_finding *finding = &runner->result->finding;
	const size_t frames = runner->memory.in_use;
	const uint64_t flushes = runner->flushes;
	const uint64_t stores = runner->stores;
	const unsigned waits = recorded(runner, call->table);
	const bool parts = wp_run_keeps_parts(runner, call);
	struct wp_verdict verdict;
	struct wp_outcome outcome;

	if (!wp_run_predict(runner, call, &verdict))
		return;
	outcome = perform(runner, call);
	wp_run_follow(runner, call, &verdict, &outcome.status);
	wp_run_count(runner, call, outcome.status);
	wp_run_accessed_after(runner, call, outcome.status, &outcome.told);
	judge_outcome(runner, call, &verdict, &outcome);
	if (outcome.status != PT_OK && runner->flushes != flushes && !parts)
		wp_found(finding, WP_LAW_ALL_OR_NOTHING, "flush", "a call that returned %s flushed",
		         wp_status_text(outcome.status));
	if (outcome.status != PT_OK && recorded(runner, call->table) != waits && !parts)
		wp_found(finding, WP_LAW_ALL_OR_NOTHING, "recorded",
		         "a call that returned %s recorded a flush in its batch",
		         wp_status_text(outcome.status));
	if (call->opcode == WP_OP_QUERY && runner->stores != stores)
		wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "query() stored to a table");
	if (call->opcode == WP_OP_COPY_FROM && outcome.status == PT_OK)
		runner->lent = true;
	if (runner->batched[call->table])
		runner->waiting += verdict.removed;
	wp_run_judge_frame_count(runner, outcome.status,
	                         parts ? frames_of_parts(runner, call, &verdict, frames) : frames);
}

/* ---- walk ---- */

#define MAX_VISITS 600

struct walk_check {
	struct wp_runner *runner;
	struct wp_visit visits[MAX_VISITS];
	size_t expected, seen, open;
	size_t path[8];
};

static enum pt_walk_next check_pre(void *context, const struct pt_visit *visit)
{
	struct walk_check *check = context;
	struct wp_finding *finding = &check->runner->result->finding;
	const struct wp_visit *right = &check->visits[check->seen];

	if (check->seen == MAX_VISITS)
		return PT_WALK_STOP;
	if (check->seen == check->expected)
		wp_found(finding, WP_LAW_STATUS, "extra-visit",
		         "walk() visits level %u index %zu at %#" PRIx64 ", where nothing is",
		         visit->level, visit->index, visit->vaddr.value);
	else if (visit->level != right->level || visit->index != right->index ||
	         visit->vaddr.value != right->va || (visit->kind == PT_ENTRY_LEAF) != right->leaf ||
	         visit->kind == PT_ENTRY_MALFORMED)
		wp_found(finding, WP_LAW_STATUS, "visit",
		         "walk() visits level %u index %zu at %#" PRIx64
		         ", it must visit level %u index %zu at %#" PRIx64,
		         visit->level, visit->index, visit->vaddr.value, right->level, right->index,
		         right->va);
	else if (right->leaf && !wp_mapping_equal(&visit->mapping, &right->mapping))
		wp_found(finding, WP_LAW_STATUS, "visit-mapping",
		         "walk() decodes the leaf at %#" PRIx64 " as %#" PRIx64
		         ", it is mapped to %#" PRIx64,
		         right->va, visit->mapping.paddr.value, right->mapping.paddr.value);
	if (finding->found)
		return PT_WALK_STOP;
	check->path[check->open++] = check->seen++;
	return PT_WALK_ON;
}

static enum pt_walk_next check_post(void *context, const struct pt_visit *visit)
{
	struct walk_check *check = context;
	const struct wp_visit *right;

	if (check->seen == MAX_VISITS)
		return PT_WALK_STOP;
	right = check->open == 0 ? NULL : &check->visits[check->path[--check->open]];
	if (right && right->level == visit->level && right->va == visit->vaddr.value)
		return PT_WALK_ON;
	wp_found(&check->runner->result->finding, WP_LAW_STATUS, "post",
	         "walk() leaves level %u at %#" PRIx64 ", which it isn't in", visit->level,
	         visit->vaddr.value);
	return PT_WALK_STOP;
}

static void run_walk(struct wp_runner *runner, const struct wp_call *call)
{
	static _Thread_local struct walk_check check;
	const uint64_t stores = runner->stores;
	struct wp_finding *finding = &runner->result->finding;

	check.runner = runner;
	check.seen = 0;
	check.open = 0;
	check.expected = wp_model_walk(runner->model, call->table, call->count, check.visits,
	                               MAX_VISITS);
	runner->subject->walk(runner->instance, call->table, call->count, check_pre, check_post,
	                      &check);
	wp_run_count(runner, call, PT_OK);
	if (check.seen < check.expected && check.seen < MAX_VISITS)
		wp_found(finding, WP_LAW_STATUS, "missing-visit",
		         "walk() makes %zu visits, it must make %zu", check.seen, check.expected);
	if (runner->stores != stores)
		wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "walk() stored to a table");
}

/* ---- a table's life, and batches ---- */

/* False: the frames were refused, as they had to be. */
static bool create(struct wp_runner *runner, unsigned table)
{
	const size_t frames = runner->memory.in_use;
	const struct wp_verdict verdict = wp_model_create(runner->model, table,
	                                                  wp_memory_available(&runner->memory));
	const pt_status status = runner->subject->create(runner->instance, table);

	wp_tlb_reset(&runner->tlbs[table], runner->regime, &runner->memory);
	wp_run_watch_roots(runner);
	runner->warm.root = 0; /* a new table may have the frame of the old one */
	if (status != verdict.status)
		wp_found(&runner->result->finding, WP_LAW_STATUS, "status",
		         "create() returned %s, it must return %s", wp_status_text(status),
		         wp_status_text(verdict.status));
	wp_run_judge_frame_count(runner, status, frames);
	return status == PT_OK && !runner->result->finding.found;
}

/*
 * A shared object's batch is a part of its table, and is flushed before destroy(): what
 * waited for that is free then, though destroy() may refuse.
 */
static void flush_own_batch(struct wp_runner *runner, unsigned table)
{
	if (runner->subject->calls == NULL || !runner->batched[table])
		return;
	runner->subject->batch_flush(runner->instance, table);
	runner->subject->batch_begin(runner->instance, table);
}

static void run_renew(struct wp_runner *runner, const struct wp_call *call)
{
	const struct wp_verdict verdict = wp_model_destroy(runner->model, call->table);
	size_t frames;
	pt_status status;

	flush_own_batch(runner, call->table);
	frames = runner->memory.in_use;
	status = runner->subject->destroy(runner->instance, call->table);
	wp_run_count(runner, call, status);
	if (status != verdict.status)
		wp_found(&runner->result->finding, WP_LAW_STATUS, "status",
		         "destroy() returned %s, it must return %s", wp_status_text(status),
		         wp_status_text(verdict.status));
	if (runner->batched[call->table])
		runner->waiting += verdict.removed;
	wp_run_judge_frame_count(runner, status, frames);
	if (status == PT_OK)
		wp_run_harvest_end_batch(runner, call->table, false);
	if (status == PT_OK && !runner->result->finding.found)
		create(runner, call->table);
}

static void run_batch(struct wp_runner *runner, const struct wp_call *call)
{
	const unsigned table = call->table;
	const size_t frames = runner->memory.in_use;

	if (runner->batched[table] == (call->opcode == WP_OP_BATCH))
		return;
	wp_run_count(runner, call, PT_OK);
	runner->batched[table] = call->opcode == WP_OP_BATCH;
	runner->ignoring = call->opcode == WP_OP_IGNORE;
	wp_subject_batch(runner->subject, runner->instance, call);
	/* ignore() is for tables that no CPU has loaded: so none has */
	for (unsigned i = 0; i < WP_MODEL_TABLES && runner->ignoring; i++)
		wp_tlb_flush(&runner->tlbs[i], NULL);
	if (runner->ignoring) {
		runner->warm.root = 0;
		wp_run_watch_flush(runner, NULL);
	}
	if (call->opcode != WP_OP_BATCH)
		wp_run_harvest_end_batch(runner, table, !runner->ignoring);
	runner->ignoring = false;
	if (!runner->batched[0] && !runner->batched[1])
		runner->waiting = 0;
	wp_run_judge_frame_count(runner, PT_OK, frames);
}

void wp_run_call(struct wp_runner *runner, const struct wp_call *call)
{
	const bool needs_other = call->opcode == WP_OP_COPY_FROM;

	switch (call->opcode) {
	case WP_OP_REFUSE:
		wp_memory_refuse(&runner->memory, call->count, call->once);
		return;
	case WP_OP_ALLOW:
		wp_memory_allow(&runner->memory);
		return;
	case WP_OP_PROBE:
		wp_run_judge_all(runner);
		return;
	case WP_OP_BATCH:
	case WP_OP_FLUSH:
	case WP_OP_FLUSH_ALL:
	case WP_OP_IGNORE:
		runner->meeting = wp_meet(runner->regime, runner->model, call);
		run_batch(runner, call);
		return;
	default:
		break;
	}
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (wp_model_exists(runner->model, i) || (i != call->table && !needs_other))
			continue;
		if (!create(runner, i)) {
			runner->stats->skipped++;
			return;
		}
	}
	runner->meeting = wp_meet(runner->regime, runner->model, call);
	wp_run_accessed_before(runner, call);
	if (call->opcode == WP_OP_RENEW)
		run_renew(runner, call);
	else if (call->opcode == WP_OP_WALK)
		run_walk(runner, call);
	else
		run_status_call(runner, call);
}
