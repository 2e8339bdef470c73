/* SPDX-License-Identifier: MIT */
/* What standalone.c rests on: arguments, files, and the inputs that it has kept. */
#ifndef WP_STANDALONE_H
#define WP_STANDALONE_H

#include <limits.h>

#include "program.h"

#define WP_PATH_BYTES (PATH_MAX + 32)

/* libFuzzer's names for them; its other options mean nothing here, and are ignored. */
struct wp_options {
	unsigned long runs;    /* -runs=N: so many mutants; 0: none, or no limit */
	unsigned long seconds; /* -max_total_time=N; 0: no limit */
	unsigned long seed;    /* -seed=N */
	const char *folder;    /* the first one given; NULL: none */
};

/* Ends the process with exit code 2, and a line that says why, if there is nothing to do. */
void wp_standalone_options(struct wp_options *options, int argc, char **argv);

/* The file, or each visible file below the folder, in the order of their names. */
void wp_each_file(const char *path,
                  void (*run)(const char *path, const uint8_t *bytes, size_t size));

struct wp_kept {
	size_t size;
	uint8_t *bytes;
};

#define WP_POOL_INPUTS 4096u
struct wp_pool {
	struct wp_random random;
	size_t count;
	struct wp_kept kept[WP_POOL_INPUTS];
};

/* A full pool loses one at random. */
void wp_pool_keep(struct wp_pool *pool, const uint8_t *bytes, size_t size);
const struct wp_kept *wp_pool_draw(struct wp_pool *pool);

#endif
