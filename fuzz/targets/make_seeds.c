/* SPDX-License-Identifier: MIT */
/*
 * make_seeds TARGET FOLDER: writes the seeds of a target (corpus/fuzz_x86_64 and
 * so on) into FOLDER: of many random programs, the few that between them show most
 * point_count. The same seeds each time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "damage.h"
#include "memory_program.h"
#include "run.h"

#define SEEDS     30u
#define TRIES     6000u
#define MAX_BYTES 400u

static void refuse(const char *why, const char *what)
{
	fprintf(stderr, "make_seeds: %s: %s\n", what, why);
	exit(2);
}

static void write_seed(const char *folder, unsigned number, const uint8_t *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/seed-%02u", folder, number);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
		refuse(strerror(errno), path);
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

/* Two for each regime. */
static void make_memories(const char *folder)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_random random;
	unsigned made = 0;

	wp_random_seed(&random, 1);
	for (size_t i = 0; i < 2 * wp_regime_count; i++) {
		size_t size = WP_MEMORY_BYTES;

		while (size > MAX_BYTES)
			size = wp_memory_program_random(&random, (uint8_t)(i / 2), bytes);
		write_seed(folder, made++, bytes, size);
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

int main(int argc, char **argv)
{
	const char *target = argc == 3 ? argv[1] : "";

	if (strncmp(target, "fuzz_", 5) != 0) {
		fprintf(stderr, "usage: make_seeds fuzz_TARGET FOLDER\n");
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
	return 0;
}
