/* SPDX-License-Identifier: MIT */
#include "standalone.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES ((size_t)1 << 20)

/* ---- arguments ---- */

static unsigned long read_number(const char *option, const char *text)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && *end == '\0')
		return number;
	fprintf(stderr, "%s: %sN takes a number\n", program_invocation_short_name, option);
	exit(2);
}

void wp_standalone_options(struct wp_options *options, int argc, char **argv)
{
	const struct {
		const char *name;
		unsigned long *value;
	} known[] = {
		{"-runs=", &options->runs},
		{"-max_total_time=", &options->seconds},
		{"-seed=", &options->seed},
	};
	struct stat status;

	*options = (struct wp_options){0};
	for (int i = 1; i < argc; i++) {
		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
			const size_t length = strlen(known[k].name);

			if (strncmp(argv[i], known[k].name, length) == 0)
				*known[k].value = read_number(known[k].name, argv[i] + length);
		}
		if (!options->folder && argv[i][0] != '-' && stat(argv[i], &status) == 0 &&
		    S_ISDIR(status.st_mode))
			options->folder = argv[i];
	}
	if (argc >= 2)
		return;
	fprintf(stderr,
	        "usage: %s [-runs=N] [-max_total_time=SECONDS] [-seed=N] [FILE|FOLDER]...\n",
	        program_invocation_short_name);
	exit(2);
}

/* ---- files ---- */

static void refuse(const char *path)
{
	fprintf(stderr, "%s: can't read %s: %s\n", program_invocation_short_name, path,
	        strerror(errno));
	exit(2);
}

static void read_file(const char *path,
                      void (*run)(const char *path, const uint8_t *bytes, size_t size))
{
	static uint8_t bytes[MAX_FILE_BYTES];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		refuse(path);
	size = fread(bytes, 1, sizeof bytes, file);
	if (ferror(file))
		refuse(path);
	fclose(file);
	run(path, bytes, size);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void wp_each_file(const char *path,
                  void (*run)(const char *path, const uint8_t *bytes, size_t size))
{
	struct dirent **entries;
	struct stat status;
	int count;

	if (stat(path, &status) != 0)
		refuse(path);
	if (!S_ISDIR(status.st_mode)) {
		read_file(path, run);
		return;
	}
	count = scandir(path, &entries, is_visible, alphasort);
	if (count < 0)
		refuse(path);
	for (int i = 0; i < count; i++) {
		char below[WP_PATH_BYTES];

		snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
		wp_each_file(below, run);
		free(entries[i]);
	}
	free(entries);
}

/* ---- inputs that were kept ---- */

void wp_pool_keep(struct wp_pool *pool, const uint8_t *bytes, size_t size)
{
	struct wp_kept *place = &pool->kept[pool->count];

	if (pool->count < WP_POOL_INPUTS)
		pool->count++;
	else
		place = &pool->kept[wp_random_below(&pool->random, pool->count)];
	free(place->bytes);
	*place = (struct wp_kept){size, malloc(size > 0 ? size : 1)};
	if (!place->bytes)
		abort();
	memcpy(place->bytes, bytes, size);
}

const struct wp_kept *wp_pool_draw(struct wp_pool *pool)
{
	return &pool->kept[wp_random_below(&pool->random, pool->count)];
}
