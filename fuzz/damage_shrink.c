/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <string.h>

#include "program_edit.h"
#include "shrink.h"

/* Without operation `index`, if that breaks the same law in the same way. */
static bool drop(struct wp_runner *runner, struct wp_program *program, struct wp_damage *damage,
                 size_t index, struct wp_result *result)
{
	static struct wp_program candidate;
	const struct wp_damage moved = {damage->at - (index < damage->at), damage->seed};
	struct wp_damage_stats aside = {0};
	struct wp_result now;

	wp_program_copy(&candidate, program);
	wp_program_remove(&candidate, index, 1);
	if (wp_damage_run(runner, &candidate, &moved, &aside, &now) ||
	    strcmp(now.key, result->key) != 0)
		return false;
	wp_program_copy(program, &candidate);
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
