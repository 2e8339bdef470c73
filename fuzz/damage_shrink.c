/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <string.h>

#include "program_edit.h"

/* The judge reads `damage` at each call. */
struct shrinking {
	const struct wp_shrink_judge *judge;
	struct wp_program *program;
	struct wp_damage *damage;
	struct wp_result *result;
	size_t runs; /* left */
};

/* Without operation `index`, if that breaks the same law in the same way. */
static bool drop(struct shrinking *s, size_t index)
{
	static struct wp_program candidate;
	const struct wp_damage before = *s->damage;
	struct wp_result now;

	if (s->runs == 0)
		return false;
	s->runs--;
	wp_program_copy(&candidate, s->program);
	wp_program_remove(&candidate, index, 1);
	s->damage->at -= index < before.at;
	if (!s->judge->breaks(s->judge->context, &candidate, &now, NULL) ||
	    strcmp(now.key, s->result->key) != 0) {
		*s->damage = before;
		return false;
	}
	wp_program_copy(s->program, &candidate);
	*s->result = now;
	return true;
}

void wp_damage_shrink_by(const struct wp_shrink_judge *judge, struct wp_program *program,
                         struct wp_damage *damage, struct wp_result *result, size_t runs)
{
	struct shrinking shrinking = {judge, program, damage, result, runs};
	bool simpler;

	if (result->op < program->count)
		program->count = result->op + 1;
	do {
		bool dropped = false;

		for (size_t i = program->count; i-- > 0;)
			dropped |= drop(&shrinking, i);
		simpler = dropped || wp_shrink_arguments_by(judge, program, result, shrinking.runs);
	} while (simpler && shrinking.runs > 0);
}

struct here {
	struct wp_runner *runner;
	const struct wp_damage *damage;
};

static bool breaks_here(void *context, const struct wp_program *candidate, struct wp_result *result,
                        struct wp_program *settled)
{
	const struct here *here = context;
	struct wp_damage_stats aside = {0};

	(void)settled;
	return !wp_damage_run(here->runner, candidate, here->damage, &aside, result);
}

void wp_damage_shrink(struct wp_runner *runner, struct wp_program *program,
                      struct wp_damage *damage, struct wp_result *result, size_t runs)
{
	struct here here = {runner, damage};
	const struct wp_shrink_judge judge = {breaks_here, &here};

	wp_damage_shrink_by(&judge, program, damage, result, runs);
}
