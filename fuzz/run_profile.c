/* SPDX-License-Identifier: MIT */
/*
 * A subject that deviates on purpose: what the model says is relaxed by its profile, and
 * where that leaves two outcomes, which depend on tables that nothing maps any more, the
 * model follows what the subject did.
 */
#include "predict.h"
#include "run_private.h"

static bool maps(const struct wp_call *call)
{
	return call->opcode == WP_OP_MAP || call->opcode == WP_OP_MAP_REGION ||
	       call->opcode == WP_OP_MAP_REGION_WITH;
}

bool wp_run_keeps_tables(const struct wp_runner *runner)
{
	return wp_deviates(runner->subject->profile, WP_NO_RECLAIM) ||
	       wp_deviates(runner->subject->profile, WP_PARTIAL_TABLES);
}

bool wp_run_keeps_parts(const struct wp_runner *runner, const struct wp_call *call)
{
	return wp_deviates(runner->subject->profile, WP_PARTIAL_REGIONS) &&
	       wp_is_region(call->opcode);
}

/* Tables that stayed need no frame: where some may have, the model isn't short of any. */
bool wp_run_predict(struct wp_runner *runner, const struct wp_call *call,
                    struct wp_verdict *verdict)
{
	const wp_profile profile = runner->subject->profile;
	const size_t available = wp_memory_available(&runner->memory);
	const bool generous = wp_run_keeps_tables(runner) && maps(call);
	uint64_t done;

	if (profile == 0) {
		*verdict = wp_predict(runner->model, call, available);
		return true;
	}
	runner->available = available;
	wp_model_copy(runner->before, runner->model);
	*verdict = wp_predict_as(runner->model, profile, call, generous ? SIZE_MAX : available,
	                         runner->aside, &done);
	if (!wp_profile_avoids(profile, call, verdict->status))
		return true;
	wp_model_copy(runner->model, runner->before);
	runner->stats->unasked++;
	return false;
}

/* ---- tables that may have stayed ---- */

static void remember_tables(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_stayed *stayed = &runner->stayed;

	if ((!maps(call) && !wp_is_region(call->opcode)) || call->size == 0 ||
	    stayed->count == WP_STAYED)
		return;
	stayed->at[stayed->count].first = call->va;
	stayed->at[stayed->count].last = call->va + (call->size - 1);
	stayed->at[stayed->count++].leaf = wp_is_region(call->opcode)
	                                           ? wp_regime_page(runner->regime)
	                                           : call->size;
}

/* Whether a table may be where a leaf of [va, va + leaf) is wanted. */
static bool may_have_stayed(const struct wp_runner *runner, uint64_t va, uint64_t leaf)
{
	for (size_t i = 0; i < runner->stayed.count; i++) {
		if (runner->stayed.at[i].leaf < leaf &&
		    runner->stayed.at[i].first <= va + leaf - 1 && runner->stayed.at[i].last >= va)
			return true;
	}
	return false;
}

static bool says(const struct wp_runner *runner, pt_status said, pt_status meant)
{
	return said == meant || wp_deviates(runner->subject->profile, WP_OWN_STATUS);
}

/* What the model says with no frames to spare; `done` bytes are done nevertheless. */
static pt_status predict_short(struct wp_runner *runner, const struct wp_call *call, uint64_t *done)
{
	struct wp_verdict verdict;

	wp_model_copy(runner->model, runner->before);
	verdict = wp_predict_as(runner->model, runner->subject->profile, call, runner->available,
	                        runner->aside, done);
	wp_model_copy(runner->model, runner->before);
	return verdict.status;
}

/* How much of a region the subject has mapped: up to the first piece that it knows nothing of. */
static uint64_t mapped_by_subject(struct wp_runner *runner, const struct wp_call *call,
                                  uint64_t *piece)
{
	uint64_t offset = 0;

	for (; offset < call->size; offset += *piece) {
		struct pt_mapping mapping;

		*piece = wp_profile_piece(runner->subject->profile, runner->before, call, offset);
		if (wp_model_find(runner->before, call->table, call->va + offset) != NULL ||
		    runner->subject->query(runner->instance, call->table, call->va + offset,
		                           &mapping) != PT_OK)
			break;
	}
	return offset;
}

/*
 * A call that maps was refused: for want of a frame, or for a table in the way, if either
 * may be. Else the model stays as it is, and the judge sees it.
 */
static void follow_refusal(struct wp_runner *runner, const struct wp_call *call,
                           struct wp_verdict *verdict, pt_status *status)
{
	const bool parts = wp_run_keeps_parts(runner, call);
	uint64_t piece = call->size, done = 0, least;
	const uint64_t offset = parts ? mapped_by_subject(runner, call, &piece) : 0;
	const pt_status poor = predict_short(runner, call, &least);
	pt_status reason = PT_OK;

	if (poor == PT_NO_MEMORY && says(runner, *status, poor) && least <= offset)
		reason = PT_NO_MEMORY;
	else if (piece > wp_regime_page(runner->regime) &&
	         (call->opcode == WP_OP_MAP || call->allow_huge) &&
	         (says(runner, *status, PT_ALREADY_MAPPED) || *status == PT_MAPPED_TO_HUGE_PAGE) &&
	         may_have_stayed(runner, call->va + offset, piece))
		reason = PT_ALREADY_MAPPED;
	if (reason == PT_OK) {
		wp_model_copy(runner->model, runner->before);
		*verdict = wp_predict_as(runner->model, runner->subject->profile, call, SIZE_MAX,
		                         runner->aside, &done);
		return;
	}
	*verdict = wp_predict_part(runner->model, runner->subject->profile, call, offset);
	verdict->status = reason;
	*status = reason;
}

void wp_run_follow(struct wp_runner *runner, const struct wp_call *call, struct wp_verdict *verdict,
                   pt_status *status)
{
	const wp_profile profile = runner->subject->profile;

	if (profile == 0)
		return;
	if (*status != PT_OK && maps(call) && wp_run_keeps_tables(runner))
		follow_refusal(runner, call, verdict, status);
	remember_tables(runner, call);
	if (*status != PT_OK && verdict->status != PT_OK && wp_deviates(profile, WP_OWN_STATUS))
		*status = verdict->status;
}
