/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "judge.h"
#include "machines/paper.h"
#include "platform.h"
#include "predict.h"
#include "program_edit.h"
#include "subject_perform.h"

/* ---- opening ---- */

static bool open_side(struct wp_side *side, const struct wp_subject *subject)
{
	side->subject = subject;
	side->instance = subject->open(subject);
	if (side->instance == NULL ||
	    !wp_memory_open_at(&side->memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES,
	                       (uintptr_t)subject->window))
		return false;
	side->memory.zeros_at_0 = wp_deviates(subject->profile, WP_ZEROS_AT_0);
	/* flushes and stores are for the laws, which judge one subject at a time */
	side->platform = wp_memory_platform(&side->memory);
	return true;
}

bool wp_compare_open(struct wp_comparison *comparison, const struct wp_subject *one,
                     const struct wp_subject *other, char *why, size_t why_size)
{
	memset(comparison, 0, sizeof *comparison);
	comparison->profile = one->profile | other->profile;
	/* who rounds and who refuses can't agree */
	if (wp_deviates(comparison->profile, WP_ALIGNS_DOWN))
		comparison->profile |= (wp_profile)1 << WP_ASSUMES_ALIGNED;
	comparison->model = wp_model_new();
	comparison->before = wp_model_new();
	if (comparison->model == NULL || comparison->before == NULL ||
	    !open_side(&comparison->sides[0], one) || !open_side(&comparison->sides[1], other)) {
		snprintf(why, why_size, "can't open both subjects: %s", strerror(errno));
		return false;
	}
	return true;
}

/* ---- what is compared ---- */

__attribute__((format(printf, 4, 5))) static void differ(struct wp_comparison *comparison,
                                                         const struct wp_call *call,
                                                         const char *kind, const char *format, ...)
{
	struct wp_difference *difference = comparison->difference;
	va_list arguments;

	if (difference->found)
		return;
	difference->found = true;
	snprintf(difference->key, sizeof difference->key, "%s-%s-%s",
	         wp_arch_name(comparison->regime->arch), wp_opcode_name(call->opcode), kind);
	va_start(arguments, format);
	vsnprintf(difference->sentence, sizeof difference->sentence, format, arguments);
	va_end(arguments);
}

static bool agree(const struct wp_comparison *comparison, pt_status one, pt_status other)
{
	if (one == other)
		return true;
	return one != PT_OK && other != PT_OK && wp_deviates(comparison->profile, WP_OWN_STATUS);
}

static void compare_said(struct wp_comparison *comparison, const struct wp_call *call,
                         const char *what, uint64_t va, const struct wp_outcome said[2])
{
	char flags[2][8], kind[24];

	snprintf(kind, sizeof kind, "%s%s", what,
	         agree(comparison, said[0].status, said[1].status) ? "mapping" : "status");
	if (!agree(comparison, said[0].status, said[1].status))
		differ(comparison, call, kind, "%#" PRIx64 ": %s, %s", va,
		       wp_status_text(said[0].status), wp_status_text(said[1].status));
	else if (said[0].status == PT_OK && !wp_mapping_equal(&said[0].told, &said[1].told))
		differ(comparison, call, kind,
		       "%#" PRIx64 ": %#" PRIx64 ", %#" PRIx64 " bytes, %s; %#" PRIx64 ", %#" PRIx64
		       " bytes, %s",
		       va, said[0].told.paddr.value, said[0].told.size,
		       wp_flags_text(said[0].told.flags, flags[0]), said[1].told.paddr.value,
		       said[1].told.size, wp_flags_text(said[1].told.flags, flags[1]));
}

/* Whether a kernel's page is global is up to each; that a user's is, is not. */
static bool same_answer(const struct wp_answer *a, const struct wp_answer *b, wp_profile profile)
{
	const uint8_t certain = a->answered & b->answered & (uint8_t)~(a->open | b->open);

	if (((a->allowed ^ b->allowed) & certain) != 0)
		return false;
	if ((a->allowed & certain) == 0)
		return true;
	if (a->global != b->global && (a->allowed & WP_USER_KINDS) != 0 &&
	    !wp_deviates(profile, WP_USER_GLOBAL))
		return false;
	return a->pa == b->pa && a->size == b->size && a->memory_type == b->memory_type;
}

#define USE_TEXT 100

static const char *use_text(const struct wp_answer *answer, char text[static USE_TEXT])
{
	static const char letters[] = "rwxrwx";
	char kinds[WP_KINDS + 1] = "";

	for (unsigned i = 0; i < WP_KINDS; i++)
		kinds[i] = (answer->allowed >> i & 1) != 0 ? letters[i] : '-';
	snprintf(text, USE_TEXT, "goes to %#" PRIx64 " (kernel %.3s, user %.3s, %s%s)", answer->pa,
	         kinds, kinds + 3, wp_memory_type_name(answer->memory_type),
	         answer->global ? ", global" : "");
	return answer->allowed == 0 ? "faults" : text;
}

static struct wp_outcome perform(struct wp_side *side, const struct wp_regime *regime,
                                 const struct wp_call *call)
{
	return wp_subject_perform(side->subject, side->instance, regime, call);
}

/* query() and the machine at one address. */
static void compare_at(struct wp_comparison *comparison, const struct wp_call *call, uint64_t va)
{
	const struct wp_call query = {.opcode = WP_OP_QUERY, .table = call->table, .va = va};
	struct wp_answer answers[2];
	struct wp_outcome said[2];
	char text[2][USE_TEXT];

	if (!wp_regime_canonical(comparison->regime, va))
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct wp_side *side = &comparison->sides[i];

		said[i] = perform(side, comparison->regime, &query);
		wp_paper_walk(comparison->regime, &side->memory,
		              side->subject->root(side->instance, call->table), va, &answers[i]);
	}
	comparison->queries++;
	if (!same_answer(&answers[0], &answers[1], comparison->profile))
		differ(comparison, call, "cpu", "the CPU at %#" PRIx64 ": %s; %s", va,
		       use_text(&answers[0], text[0]), use_text(&answers[1], text[1]));
	compare_said(comparison, call, "query-", va, said);
}

static void compare_around(struct wp_comparison *comparison, const struct wp_call *call)
{
	const uint64_t length = call->size == 0 ? wp_regime_page(comparison->regime) : call->size;
	const uint64_t addresses[] = {call->va, call->va + length / 2, call->va + length - 1,
	                              call->va - 1, call->va + length};

	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
		compare_at(comparison, call, addresses[i]);
}

/* ---- a program ---- */

static bool is_compared(const struct wp_comparison *comparison, const struct wp_call *call)
{
	if (call->opcode > WP_OP_HARVEST)
		return false;
	/* a leaf that one of them hasn't, by its profile */
	if (call->opcode == WP_OP_MAP &&
	    (call->size & wp_profile_leaf_sizes(comparison->profile, comparison->regime)) == 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (!wp_subject_offers(comparison->sides[i].subject, call->opcode))
			return false;
	}
	return !wp_profile_leaves_out(comparison->profile, comparison->model, call);
}

static bool create_both(struct wp_comparison *comparison, unsigned table)
{
	for (unsigned i = 0; i < 2; i++) {
		struct wp_side *side = &comparison->sides[i];

		if (!side->exists[table] && side->subject->create(side->instance, table) != PT_OK)
			return false;
		side->exists[table] = true;
	}
	if (!wp_model_exists(comparison->model, table))
		wp_model_create(comparison->model, table, SIZE_MAX);
	return true;
}

/* After what both may do in their own way, there is nothing left to compare. */
static bool has_parted(const struct wp_comparison *comparison, const struct wp_call *call,
                       const struct wp_outcome said[2])
{
	const bool one_refuses = (said[0].status == PT_OK) != (said[1].status == PT_OK);
	const pt_status refusal = said[0].status == PT_OK ? said[1].status : said[0].status;

	if (refusal == PT_NO_MEMORY)
		return true;
	if (one_refuses && wp_deviates(comparison->profile, WP_NO_RECLAIM))
		return refusal == PT_ALREADY_MAPPED || refusal == PT_MAPPED_TO_HUGE_PAGE;
	return refusal != PT_OK && wp_is_region(call->opcode) &&
	       wp_deviates(comparison->profile, WP_PARTIAL_REGIONS);
}

/* False: the rest of the program isn't run. */
static bool compare_call(struct wp_comparison *comparison, const struct wp_call *call)
{
	struct wp_verdict verdict;
	struct wp_outcome said[2];

	if (!is_compared(comparison, call))
		return true;
	if (!create_both(comparison, call->table))
		return false;
	wp_model_copy(comparison->before, comparison->model);
	verdict = wp_predict(comparison->model, call, SIZE_MAX);
	if (wp_profile_avoids(comparison->profile, call, verdict.status)) {
		wp_model_copy(comparison->model, comparison->before);
		return true;
	}
	for (unsigned i = 0; i < 2; i++)
		said[i] = perform(&comparison->sides[i], comparison->regime, call);
	comparison->calls++;
	if (has_parted(comparison, call, said)) {
		comparison->parted++;
		return false;
	}
	compare_said(comparison, call, "", call->va, said);
	if (said[0].leaves != said[1].leaves)
		differ(comparison, call, "leaves", "%zu leaves are told of, %zu", said[0].leaves,
		       said[1].leaves);
	compare_around(comparison, call);
	return !comparison->difference->found;
}

static void start(struct wp_comparison *comparison, const struct wp_program *program)
{
	comparison->regime = program->regime;
	wp_model_reset(comparison->model, program->regime, 1);
	for (unsigned i = 0; i < 2; i++) {
		struct wp_side *side = &comparison->sides[i];

		wp_memory_cut(&side->memory, program->regime->granule_shift);
		wp_memory_reset(&side->memory);
		memset(side->exists, 0, sizeof side->exists);
		side->subject->start(side->instance, program->regime, &side->platform);
	}
}

static void end(struct wp_comparison *comparison)
{
	for (unsigned i = 0; i < 2; i++) {
		struct wp_side *side = &comparison->sides[i];

		for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
			if (side->exists[table])
				side->subject->destroy(side->instance, table);
		}
	}
}

void wp_compare_run(struct wp_comparison *comparison, const struct wp_program *program,
                    struct wp_difference *difference)
{
	memset(difference, 0, sizeof *difference);
	comparison->difference = difference;
	comparison->programs++;
	start(comparison, program);
	for (size_t i = 0; i < program->count; i++) {
		struct wp_call call;

		wp_op_resolve(&program->ops[i], program->regime, comparison->model, &call);
		difference->op = i;
		if (!compare_call(comparison, &call))
			break;
	}
	end(comparison);
}

void wp_compare_shrink(struct wp_comparison *comparison, struct wp_program *program,
                       struct wp_difference *difference)
{
	static struct wp_program shorter;
	struct wp_difference other;

	program->count = difference->op + 1;
	for (size_t i = program->count; i-- > 0;) {
		wp_program_copy(&shorter, program);
		wp_program_remove(&shorter, i, 1);
		wp_compare_run(comparison, &shorter, &other);
		if (!other.found || strcmp(other.key, difference->key) != 0)
			continue;
		wp_program_copy(program, &shorter);
		*difference = other;
	}
	wp_compare_run(comparison, program, difference);
}
