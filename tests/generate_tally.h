/* SPDX-License-Identifier: MIT */
/* Generated programs run on the model alone, and counted: for the generator's tests. */
#ifndef GENERATE_TALLY_H
#define GENERATE_TALLY_H

#include "program_fixture.h"

/* Programs for each regime. */
#define PROGRAMS 3000

struct tally {
	size_t programs;
	size_t ops;
	size_t longest;
	size_t drawn[WP_OPCODES];
	size_t statuses[WP_OPCODES][PT_STATUSES];
	size_t leaves[WP_UNIT_BYTE]; /* mapped by map() */
	size_t sources[WP_SOURCES];  /* of regions mapped */
	size_t bases[WP_BASES];
	size_t mapped_by_huge;      /* regions that got a leaf larger than a page */
	size_t longer;              /* programs of 64 operations or more... */
	size_t without[WP_OPCODES]; /* ...that don't have the opcode at all */
};

/* The frames that the platform grants; what a subject's memory does. */
struct grants {
	size_t left;
	bool once;
};

static inline struct wp_verdict map_region_with(const struct wp_regime *regime,
                                                struct wp_model *model, const struct wp_call *call,
                                                size_t available)
{
	static uint64_t pages[WP_MAX_LEAVES + 1];
	const uint64_t asked = call->size / wp_regime_page(regime);
	const uint64_t count = asked < WP_MAX_LEAVES ? asked : WP_MAX_LEAVES;

	for (uint64_t i = 0; i < count; i++)
		pages[i] = wp_source_page(regime, call->source, call->pa, i, count);
	return wp_model_map_region_with(model, call->table, call->va, pages, call->size,
	                                call->flags, call->allow_huge, available);
}

/* A table that can't be created again is missing from then on. */
static inline struct wp_verdict renew(struct wp_model *model, const struct wp_call *call,
                                      size_t available)
{
	struct wp_verdict verdict = {.status = PT_OK};

	if (wp_model_exists(model, call->table))
		verdict = wp_model_destroy(model, call->table);
	return verdict.status != PT_OK ? verdict : wp_model_create(model, call->table, available);
}

/* False: the operation has no status, or no table to work on. */
static inline bool call_model(const struct wp_regime *regime, struct wp_model *model,
                              const struct wp_call *c, size_t available, struct wp_verdict *v)
{
	if (!(wp_model_exists(model, 0) && wp_model_exists(model, 1)) && c->opcode != WP_OP_RENEW)
		return false;
	switch (c->opcode) {
	case WP_OP_MAP:
		*v = wp_model_map(model, c->table, c->va, c->pa, c->size, c->flags, available);
		return true;
	case WP_OP_UNMAP:
		*v = wp_model_unmap(model, c->table, c->va);
		return true;
	case WP_OP_PROTECT:
		*v = wp_model_protect(model, c->table, c->va, c->flags);
		return true;
	case WP_OP_REMAP:
		*v = wp_model_remap(model, c->table, c->va, c->pa, c->flags);
		return true;
	case WP_OP_QUERY:
		*v = wp_model_query(model, c->table, c->va);
		return true;
	case WP_OP_MAP_REGION:
		*v = wp_model_map_region(model, c->table, c->va, c->pa, c->size, c->flags,
		                         c->allow_huge, available);
		return true;
	case WP_OP_MAP_REGION_WITH:
		*v = map_region_with(regime, model, c, available);
		return true;
	case WP_OP_UNMAP_REGION:
		*v = wp_model_unmap_region(model, c->table, c->va, c->size, available);
		return true;
	case WP_OP_PROTECT_REGION:
		*v = wp_model_protect_region(model, c->table, c->va, c->size, c->flags, available);
		return true;
	case WP_OP_HARVEST:
		*v = wp_model_harvest(model, c->table, c->va, c->size, c->uses);
		return true;
	case WP_OP_COPY_FROM:
		*v = wp_model_copy_from(model, c->table, 1 - c->table, c->va, c->size);
		return true;
	case WP_OP_GIVE_BACK:
		*v = wp_model_give_back(model, c->table, c->va, c->size);
		return true;
	case WP_OP_RENEW:
		*v = renew(model, c, available);
		return true;
	default:
		return false;
	}
}

static inline void count_success(struct tally *tally, const struct wp_regime *regime,
                                 const struct wp_model *model, const struct wp_call *call)
{
	const struct wp_run *run = wp_model_find(model, call->table, call->va);

	if (call->opcode == WP_OP_MAP) {
		for (unsigned unit = 0; unit < WP_UNIT_BYTE; unit++)
			tally->leaves[unit] += call->size == wp_unit_bytes(regime, unit);
	}
	if (call->opcode == WP_OP_MAP_REGION_WITH)
		tally->sources[call->source]++;
	if (call->opcode == WP_OP_MAP_REGION || call->opcode == WP_OP_MAP_REGION_WITH) {
		assert_non_null(run);
		tally->mapped_by_huge += run->leaf > wp_regime_page(regime);
	}
}

static inline void run(struct tally *tally, struct wp_model *model,
                       const struct wp_program *program)
{
	struct grants grants = {SIZE_MAX, false};

	wp_model_reset(model, program->regime, 1);
	wp_model_create(model, 0, SIZE_MAX);
	wp_model_create(model, 1, SIZE_MAX);
	for (size_t i = 0; i < program->count; i++) {
		const struct wp_op *op = &program->ops[i];
		struct wp_verdict verdict;
		struct wp_call call;

		tally->drawn[op->opcode]++;
		wp_op_resolve(op, program->regime, model, &call);
		if (call.opcode == WP_OP_REFUSE)
			grants = (struct grants){call.count, call.once};
		if (call.opcode == WP_OP_ALLOW)
			grants = (struct grants){SIZE_MAX, false};
		if (!call_model(program->regime, model, &call, grants.left, &verdict))
			continue;
		tally->bases[op->va.base]++;
		tally->statuses[op->opcode][verdict.status]++;
		if (verdict.status == PT_OK)
			count_success(tally, program->regime, model, &call);
		if (grants.left != SIZE_MAX)
			grants.left -= verdict.allocated;
		if (verdict.status == PT_NO_MEMORY)
			grants.left = grants.once ? SIZE_MAX : 0;
	}
}

static inline void tally_program(struct tally *tally, struct wp_model *model,
                                 const struct wp_program *program)
{
	bool has[WP_OPCODES] = {false};

	tally->programs++;
	tally->ops += program->count;
	if (program->count > tally->longest)
		tally->longest = program->count;
	for (size_t i = 0; i < program->count; i++)
		has[program->ops[i].opcode] = true;
	tally->longer += program->count >= 64;
	for (unsigned i = 0; i < WP_OPCODES; i++)
		tally->without[i] += program->count >= 64 && !has[i];
	run(tally, model, program);
}

static inline void tally_regime(struct tally *tally, const struct wp_regime *regime)
{
	static struct wp_program program;
	const struct wp_scope scope = {{regime}, 1};
	struct wp_model *model = wp_model_new();
	struct wp_random random;

	memset(tally, 0, sizeof *tally);
	wp_random_seed(&random, 1);
	for (size_t i = 0; i < PROGRAMS; i++) {
		wp_program_generate(&program, &scope, &random);
		tally_program(tally, model, &program);
	}
	wp_model_free(model);
}

#endif
