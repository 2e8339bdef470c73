/* SPDX-License-Identifier: MIT */
#include "shrink.h"

#include <string.h>

struct shrinker {
	struct wp_runner *runner;
	struct wp_program *best; /* the shortest so far that breaks it in the same way */
	struct wp_result *result;
	size_t runs; /* left */
	struct wp_program candidate;
};

static void copy_program(struct wp_program *to, const struct wp_program *from)
{
	to->regime = from->regime;
	to->count = from->count;
	memcpy(to->ops, from->ops, from->count * sizeof from->ops[0]);
}

/* Nothing after the operation that broke the law was run. */
static void cut_after(struct wp_program *program, const struct wp_result *result)
{
	if (result->op < program->count)
		program->count = result->op + 1;
}

/* Keeps the candidate if it breaks the same law in the same way. */
static bool keep(struct shrinker *shrinker)
{
	struct wp_result result;

	if (shrinker->runs == 0)
		return false;
	shrinker->runs--;
	if (wp_run(shrinker->runner, &shrinker->candidate, &result, NULL) ||
	    strcmp(result.key, shrinker->result->key) != 0)
		return false;
	cut_after(&shrinker->candidate, &result);
	copy_program(shrinker->best, &shrinker->candidate);
	*shrinker->result = result;
	return true;
}

/* Without operations [from, from + count). */
static bool keep_without(struct shrinker *shrinker, size_t from, size_t count)
{
	struct wp_program *candidate = &shrinker->candidate;

	copy_program(candidate, shrinker->best);
	candidate->count -= count;
	memmove(&candidate->ops[from], &candidate->ops[from + count],
	        (candidate->count - from) * sizeof candidate->ops[0]);
	return keep(shrinker);
}

/* From the end on: what comes last depends on what came before, not the reverse. */
static bool remove_chunks(struct shrinker *shrinker, size_t chunk)
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

bool wp_shrink(struct wp_runner *runner, struct wp_program *program, struct wp_result *result,
               size_t runs)
{
	struct shrinker shrinker = {runner, program, result, runs, {0}};
	size_t chunk;

	if (wp_run(runner, program, result, &shrinker.candidate))
		return false;
	cut_after(program, result);
	keep(&shrinker); /* settled; should that break it otherwise, the first form stays */
	for (chunk = program->count / 2; chunk > 1; chunk /= 2)
		remove_chunks(&shrinker, chunk);
	while (remove_chunks(&shrinker, 1) && shrinker.runs > 0)
		;
	return true;
}
