/* SPDX-License-Identifier: MIT */
/*
 * Property: tables of any architecture that the library made and that were damaged
 * then are worked on without a crash, a hang or a store outside of frames handed out;
 * what can't be changed is PT_MALFORMED, and nothing is changed; what was changed is
 * as asked for; and query(), the paper machine and Unicorn agree on what remains (L7,
 * L5).
 *
 * An input: how many operations come before the damage, four bytes that say which
 * bits are turned, and a program.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "damage.h"
#include "target.h"

#define HEAD WP_DAMAGE_HEAD

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("");
	return 0;
}

static struct wp_damage read_damage(const uint8_t *bytes)
{
	struct wp_damage damage = {bytes[0], 0};

	for (unsigned i = 1; i < HEAD; i++)
		damage.seed = damage.seed << 8 | bytes[i];
	return damage;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct wp_program program;
	struct wp_damage_stats stats = {0};
	struct wp_damage damage;
	struct wp_result result;

	if (size < HEAD)
		return 0;
	damage = read_damage(bytes);
	wp_program_decode(&program, wp_target_scope(), bytes + HEAD, size - HEAD);
	if (wp_damage_run(wp_target_runner(), &program, &damage, &stats, &result))
		return 0;
	wp_target_say(result.key, &result.finding); /* at once: shrinking may end the process */
	wp_damage_shrink(wp_target_runner(), &program, &damage, &result, WP_SHRINK_RUNS);
	fprintf(stderr, "Shrunk: %s.\n\n# damage %zu:%" PRIu64 "\n", result.finding.sentence,
	        damage.at, damage.seed);
	wp_program_print(&program, stderr);
	abort();
}
