/* SPDX-License-Identifier: MIT */
/*
 * make_seeds TARGET FOLDER [SCENARIO...]: writes seeds for a target (fuzz_x86_64 and so
 * on) into FOLDER: of many random programs, the few that between them show most
 * coverpoints; and each scenario, a program as text, under every regime of the target,
 * with damage in its middle for fuzz_damage. The same seeds each time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "damage.h"
#include "memory_program.h"
#include "operands.h"
#include "run.h"

#define SEEDS     30u
#define TRIES     6000u
#define MAX_BYTES 400u
#define DAMAGES   4u /* of each scenario under each regime */
#define MAX_TEXT  16384u

static void refuse(const char *why, const char *what)
{
	fprintf(stderr, "make_seeds: %s: %s\n", what, why);
	exit(2);
}

static void write_named(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
		refuse(strerror(errno), path);
}

static void write_seed(const char *folder, unsigned number, const uint8_t *bytes, size_t size)
{
	char name[32];

	snprintf(name, sizeof name, "seed-%02u", number);
	write_named(folder, name, bytes, size);
}

/*
 * A program is kept if it shows enough that none before it did; enough becomes
 * less while the tries run out.
 */
static void make_programs(const char *prefix, const char *folder)
{
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	static struct wp_program program;
	static struct wp_runner runner;
	static struct wp_stats stats;
	struct wp_random random;
	struct wp_scope scope;
	unsigned made = 0;
	char why[200];

	wp_scope_of(&scope, prefix);
	if (scope.count == 0)
		refuse("no such target", prefix);
	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		refuse(why, prefix);
	wp_random_seed(&random, 1);
	for (unsigned i = 0; i < TRIES && made < SEEDS; i++) {
		const unsigned enough = 24 * (TRIES - i) / TRIES;
		static struct wp_stats before;
		struct wp_result result;
		size_t size;

		wp_program_generate(&program, &scope, &random);
		size = wp_program_encode(&program, &scope, bytes, sizeof bytes);
		if (size > MAX_BYTES)
			continue;
		before = stats;
		if (!wp_run(&runner, &program, &result, NULL))
			refuse(result.finding.sentence, "a program finds something");
		if (stats.point_count > before.point_count + enough)
			write_seed(folder, made++, bytes, size);
		else
			stats = before;
	}
	printf("%s: %u programs, %u coverpoints\n", prefix, made, (unsigned)stats.point_count);
	wp_runner_close(&runner);
}

/*
 * Leaves of one level without any right, each with another bit turned: the rarest kind of
 * entry that must not be taken for another. See memory_program.c for what bytes mean.
 */
static void make_turned_leaves(const char *folder, unsigned regime, unsigned level, unsigned first)
{
	static uint8_t bytes[1 + 32 * WP_MEMORY_RECORD];
	struct wp_scope all;
	char name[60];

	wp_scope_of(&all, "");
	bytes[0] = wp_scope_byte(&all, &wp_regimes[regime]);
	for (unsigned i = 0; i < 32; i++) {
		uint8_t *record = bytes + 1 + i * WP_MEMORY_RECORD;

		record[0] = 2;                    /* a chain of tables... */
		record[2] = (uint8_t)(i * 8 + 7); /* ...to a leaf at this index, which is turned */
		record[5] = (uint8_t)level;
		record[6] = (uint8_t)(192 + first + i);
	}
	snprintf(name, sizeof name, "turned-%s-%u-%u", wp_regimes[regime].name, level, first);
	write_named(folder, name, bytes, sizeof bytes);
}

/* Two for each regime. */
static void make_memories(const char *folder)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_random random;
	struct wp_scope all;
	unsigned made = 0;

	wp_scope_of(&all, "");
	wp_random_seed(&random, 1);
	for (size_t i = 0; i < 2 * wp_regime_count; i++) {
		const uint8_t regime = wp_scope_byte(&all, &wp_regimes[i / 2]);
		size_t size = WP_MEMORY_BYTES;

		while (size > MAX_BYTES)
			size = wp_memory_program_random(&random, regime, bytes);
		write_seed(folder, made++, bytes, size);
	}
	for (unsigned i = 0; i < wp_regime_count; i++) {
		for (unsigned level = 0; level < wp_regimes[i].levels; level++) {
			make_turned_leaves(folder, i, level, 0);
			make_turned_leaves(folder, i, level, 32);
		}
	}
	printf("memory: %u programs\n", made);
}

/* Three for each regime: a program of a few operations, and damage in its middle. */
static void make_damages(const char *folder)
{
	static uint8_t bytes[WP_DAMAGE_HEAD + WP_PROGRAM_MAX_BYTES];
	static struct wp_program program;
	struct wp_random random;
	struct wp_scope scope;
	unsigned made = 0;

	wp_scope_of(&scope, "");
	wp_random_seed(&random, 1);
	while (made < 3 * scope.count) {
		const struct wp_scope one = {{scope.regimes[made / 3]}, 1};
		size_t size;

		wp_program_generate(&program, &one, &random);
		size = wp_program_encode(&program, &scope, bytes + WP_DAMAGE_HEAD,
		                         sizeof bytes - WP_DAMAGE_HEAD);
		if (program.count < 8 || size > MAX_BYTES)
			continue;
		bytes[0] = (uint8_t)(program.count / 2);
		for (unsigned i = 1; i < WP_DAMAGE_HEAD; i++)
			bytes[i] = (uint8_t)wp_random_next(&random);
		write_seed(folder, made++, bytes, WP_DAMAGE_HEAD + size);
	}
	printf("damage: %u programs\n", made);
}

/* ---- scenarios ---- */

static void read_scenario(const char *path, char text[MAX_TEXT], struct wp_program *program)
{
	FILE *file = fopen(path, "r");
	char why[200];
	size_t size;

	if (!file)
		refuse(strerror(errno), path);
	size = fread(text, 1, MAX_TEXT - 1, file);
	fclose(file);
	text[size] = '\0';
	if (!wp_program_parse(program, text, why, sizeof why))
		refuse(why, path);
}

/* Another regime has root slots of another size, and they are shared as a whole. */
static void move_to(struct wp_program *program, const struct wp_regime *regime)
{
	program->regime = regime;
	for (size_t i = 0; i < program->count; i++) {
		struct wp_op *op = &program->ops[i];

		if (op->opcode == WP_OP_COPY_FROM || op->opcode == WP_OP_GIVE_BACK)
			op->length.unit = (uint8_t)wp_root_unit(regime);
	}
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void make_scenario(const char *folder, const char *path, const struct wp_scope *scope)
{
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES];
	static char text[MAX_TEXT];
	static struct wp_program program;
	char name[300];

	read_scenario(path, text, &program);
	for (size_t i = 0; i < scope->count; i++) {
		move_to(&program, scope->regimes[i]);
		snprintf(name, sizeof name, "%s-%s", name_of(path), scope->regimes[i]->name);
		write_named(folder, name, bytes,
		            wp_program_encode(&program, scope, bytes, sizeof bytes));
	}
}

static void write_damaged(const char *folder, const char *name, const struct wp_program *program,
                          const struct wp_scope *scope, size_t at, uint32_t seed)
{
	static uint8_t bytes[WP_DAMAGE_HEAD + WP_PROGRAM_MAX_BYTES];
	const size_t size = wp_program_encode(program, scope, bytes + WP_DAMAGE_HEAD,
	                                      sizeof bytes - WP_DAMAGE_HEAD);

	bytes[0] = (uint8_t)at;
	for (unsigned i = 1; i < WP_DAMAGE_HEAD; i++)
		bytes[i] = (uint8_t)(seed >> 8 * (WP_DAMAGE_HEAD - 1 - i));
	write_named(folder, name, bytes, WP_DAMAGE_HEAD + size);
}

/* A regression on damaged tables tells its own damage; an input has room for 32 bits of it. */
static void make_damaged_scenario(const char *folder, const char *path,
                                  const struct wp_scope *scope, struct wp_random *random)
{
	static char text[MAX_TEXT];
	static struct wp_program program;
	const char *damage;
	uint64_t seed;
	char name[300];
	size_t at;

	read_scenario(path, text, &program);
	damage = strstr(text, "# damage ");
	if (damage) {
		if (sscanf(damage, "# damage %zu:%" SCNu64, &at, &seed) == 2 && seed <= UINT32_MAX)
			write_damaged(folder, name_of(path), &program, scope, at, (uint32_t)seed);
		return;
	}
	for (size_t i = 0; i < scope->count * DAMAGES && program.count > 0; i++) {
		const struct wp_regime *regime = scope->regimes[i / DAMAGES];

		move_to(&program, regime);
		snprintf(name, sizeof name, "%s-%s-%zu", name_of(path), regime->name, i % DAMAGES);
		at = 1 + wp_random_index(random, program.count);
		write_damaged(folder, name, &program, scope, at, (uint32_t)wp_random_next(random));
	}
}

static void make_scenarios(const char *target, const char *folder, char **paths, int count)
{
	const bool damaged = strcmp(target, "fuzz_damage") == 0;
	struct wp_random random;
	struct wp_scope scope;

	wp_scope_of(&scope, damaged ? "" : target + 5);
	wp_random_seed(&random, 1);
	for (int i = 0; i < count; i++) {
		if (damaged)
			make_damaged_scenario(folder, paths[i], &scope, &random);
		else
			make_scenario(folder, paths[i], &scope);
	}
}

int main(int argc, char **argv)
{
	const char *target = argc >= 3 ? argv[1] : "";

	if (strncmp(target, "fuzz_", 5) != 0) {
		fprintf(stderr, "usage: make_seeds fuzz_TARGET FOLDER [SCENARIO...]\n");
		return 2;
	}
	if (mkdir(argv[2], 0777) != 0 && errno != EEXIST)
		refuse(strerror(errno), argv[2]);
	if (strcmp(target, "fuzz_memory") == 0)
		make_memories(argv[2]);
	else if (strcmp(target, "fuzz_damage") == 0)
		make_damages(argv[2]);
	else
		make_programs(target + 5, argv[2]);
	if (strcmp(target, "fuzz_memory") != 0)
		make_scenarios(target, argv[2], argv + 3, argc - 3);
	return 0;
}
