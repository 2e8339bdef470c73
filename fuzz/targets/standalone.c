/* SPDX-License-Identifier: MIT */
/*
 * The engine of targets where there is no libFuzzer: runs each file, and each file
 * of each folder, that it is given, as a regression driver does; and with -runs=N,
 * N random inputs. A finding is the target's to tell; this adds which input it was.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"

#define MAX_BYTES ((size_t)1 << 20)

static char input[PATH_MAX + 32]; /* at hand */
static unsigned long inputs;

static void say_input(int signal)
{
	static const char with[] = "input: ";

	(void)signal;
	(void)!write(STDERR_FILENO, with, sizeof with - 1);
	(void)!write(STDERR_FILENO, input, strlen(input));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void refuse(const char *path)
{
	fprintf(stderr, "%s: can't read %s: %s\n", program_invocation_short_name, path,
	        strerror(errno));
	exit(2);
}

/* A copy of exactly that size, so that AddressSanitizer sees a byte too many. */
static void run_bytes(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void run_file(const char *path)
{
	static uint8_t bytes[MAX_BYTES];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		refuse(path);
	size = fread(bytes, 1, sizeof bytes, file);
	if (ferror(file))
		refuse(path);
	fclose(file);
	snprintf(input, sizeof input, "%s", path);
	run_bytes(bytes, size);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_path(const char *path)
{
	struct dirent **entries;
	struct stat status;
	int count;

	if (stat(path, &status) != 0)
		refuse(path);
	if (!S_ISDIR(status.st_mode)) {
		run_file(path);
		return;
	}
	count = scandir(path, &entries, is_visible, alphasort);
	if (count < 0)
		refuse(path);
	for (int i = 0; i < count; i++) {
		char below[PATH_MAX];

		snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
		run_path(below);
		free(entries[i]);
	}
	free(entries);
}

/* Small bytes are more common than large ones: they are the simpler operands. */
static void run_random(unsigned long runs)
{
	static uint8_t bytes[2048];
	struct wp_random random;

	wp_random_seed(&random, 1);
	for (unsigned long i = 0; i < runs; i++) {
		const size_t size = (size_t)wp_random_below(&random, sizeof bytes);

		for (size_t k = 0; k < size; k++) {
			const uint64_t word = wp_random_next(&random);

			bytes[k] = (uint8_t)((word & 0xff) >> (word >> 8 & 7));
		}
		snprintf(input, sizeof input, "the random input %lu of -runs", i);
		run_bytes(bytes, size);
	}
}

static unsigned long read_runs(const char *text)
{
	char *end;
	const unsigned long runs = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && *end == '\0')
		return runs;
	fprintf(stderr, "%s: -runs=N takes a number\n", program_invocation_short_name);
	exit(2);
}

int main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	signal(SIGABRT, say_input);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-runs=", 6) == 0)
			run_random(read_runs(argv[i] + 6));
		else if (argv[i][0] != '-')
			run_path(argv[i]);
		/* else libFuzzer's own options, which mean nothing here */
	}
	if (argc < 2)
		fprintf(stderr, "usage: %s [-runs=N] [FILE|FOLDER]...\n",
		        program_invocation_short_name);
	else
		printf("%lu inputs, no finding\n", inputs);
	return argc < 2 ? 2 : 0;
}
