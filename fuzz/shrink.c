/* SPDX-License-Identifier: MIT */
#include "shrink_private.h"

#include <string.h>

#include "program_edit.h"

/* Nothing after the operation that broke the law was run. */
static void cut_after(struct wp_program *program, const struct wp_result *result)
{
	if (result->op < program->count)
		program->count = result->op + 1;
}

void wp_shrinker_start(struct wp_shrinker *shrinker)
{
	wp_program_copy(&shrinker->candidate, shrinker->best);
}

bool wp_shrinker_keep(struct wp_shrinker *shrinker)
{
	const struct wp_shrink_judge *judge = shrinker->judge;
	struct wp_result result;

	if (shrinker->runs == 0)
		return false;
	shrinker->runs--;
	if (!judge->breaks(judge->context, &shrinker->candidate, &result, NULL) ||
	    strcmp(result.key, shrinker->result->key) != 0)
		return false;
	cut_after(&shrinker->candidate, &result);
	wp_program_copy(shrinker->best, &shrinker->candidate);
	*shrinker->result = result;
	return true;
}

/* Without operations [from, from + count). */
static bool keep_without(struct wp_shrinker *shrinker, size_t from, size_t count)
{
	wp_shrinker_start(shrinker);
	wp_program_remove(&shrinker->candidate, from, count);
	return wp_shrinker_keep(shrinker);
}

/* From the end on: what comes last depends on what came before, not the reverse. */
static bool remove_chunks(struct wp_shrinker *shrinker, size_t chunk)
{
	bool removed = false;
	size_t end = shrinker->best->count;

	while (end > 0) {
		const size_t size = end < chunk ? end : chunk;

		removed |= keep_without(shrinker, end - size, size);
		end -= size;
		if (end > shrinker->best->count)
			end = shrinker->best->count;
	}
	return removed;
}

static void remove_singles(struct wp_shrinker *shrinker)
{
	while (remove_chunks(shrinker, 1) && shrinker->runs > 0)
		;
}

bool wp_shrink_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                  struct wp_result *result, size_t runs)
{
	struct wp_shrinker shrinker = {judge, program, result, runs, {0}};

	if (!judge->breaks(judge->context, program, result, &shrinker.candidate))
		return false;
	cut_after(program, result);
	wp_shrinker_keep(&shrinker); /* settled; if that breaks it otherwise, it stays as it was */
	for (size_t chunk = program->count / 2; chunk > 1; chunk /= 2)
		remove_chunks(&shrinker, chunk);
	/* simpler arguments may leave operations without a use, which goes on until none is */
	do
		remove_singles(&shrinker);
	while (wp_shrinker_arguments(&shrinker) && shrinker.runs > 0);
	wp_shrinker_name_lengths(&shrinker);
	return true;
}

bool wp_shrink_arguments_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                            struct wp_result *result, size_t runs)
{
	struct wp_shrinker shrinker = {judge, program, result, runs, {0}};
	bool simpler = false;

	while (wp_shrinker_arguments(&shrinker) && shrinker.runs > 0)
		simpler = true;
	return simpler;
}

static bool breaks(void *context, const struct wp_program *candidate, struct wp_result *result,
                   struct wp_program *settled)
{
	return !wp_run(context, candidate, result, settled);
}

bool wp_shrink(struct wp_runner *runner, struct wp_program *program, struct wp_result *result,
               size_t runs)
{
	const struct wp_shrink_judge judge = {breaks, runner};

	return wp_shrink_by(&judge, program, result, runs);
}
