/* SPDX-License-Identifier: MIT */
/*
 * The engine of targets where there is no libFuzzer. It runs each file, and each file of
 * each folder, that it is given, as a regression driver does. With -runs=N or
 * -max_total_time=SECONDS it goes on from those: mutants of them, of which it keeps those
 * that come to a new coverpoint, and writes these to the first folder. A finding is the
 * target's to tell; this keeps the input, as libFuzzer does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mutator_libfuzzer.h"
#include "standalone.h"
#include "target.h"

#define MAX_FILE   ((size_t)1 << 20)
#define MAX_MUTANT 4096u

static struct wp_pool pool;
static uint8_t input[MAX_FILE]; /* at hand */
static size_t input_size;
static bool is_mutant;
static char name[WP_PATH_BYTES]; /* of the file that it is from, or would be */
static unsigned long inputs;
static volatile sig_atomic_t interrupted;

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

/* False: errno tells why. */
static bool write_input(const char *path)
{
	const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	bool whole;

	if (file < 0)
		return false;
	whole = write(file, input, input_size) == (ssize_t)input_size;
	return close(file) == 0 && whole;
}

static void say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* Where printf() may not be called. */
static void say_number(unsigned long number)
{
	char digits[24];
	size_t at = sizeof digits - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	say(digits + at);
}

/* The end is near: the finding's input is kept, unless it is from a file anyway. */
static void on_end(int signal_number)
{
	signal(signal_number, SIG_DFL);
	if (is_mutant && !write_input(name))
		say("can't write the file for this ");
	say("input: ");
	say(name);
	say("\ninputs: ");
	say_number(inputs);
	say("\n");
	raise(signal_number);
}

/* The first time it ends with the input at hand, the second time at once. */
static void on_interrupt(int signal_number)
{
	signal(signal_number, SIG_DFL);
	interrupted = 1;
}

/* A copy of exactly that size, so that AddressSanitizer sees a byte too many. */
static void run_input(void)
{
	uint8_t *copy = malloc(input_size > 0 ? input_size : 1);

	if (!copy)
		abort();
	memcpy(copy, input, input_size);
	inputs++;
	LLVMFuzzerTestOneInput(copy, input_size);
	free(copy);
}

static void run_file(const char *path, const uint8_t *bytes, size_t size)
{
	snprintf(name, sizeof name, "%s", path);
	input_size = size < sizeof input ? size : sizeof input;
	memcpy(input, bytes, input_size);
	run_input();
	wp_pool_keep(&pool, input, input_size);
}

/* Bytes at random places: the part of an engine that knows nothing of programs. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size)
{
	struct wp_random *random = &pool.random;
	const unsigned rounds = 1 + (unsigned)wp_random_below(random, 4);

	for (unsigned i = 0; i < rounds; i++) {
		const uint64_t word = wp_random_next(random);
		const size_t at = size > 0 ? (word >> 32) % size : 0;
		const unsigned kind = word & 3;

		if (kind == 0 && size < max_size) {
			memmove(bytes + at + 1, bytes + at, size++ - at);
			bytes[at] = (uint8_t)(word >> 8);
		} else if (kind == 1 && size > 1) {
			memmove(bytes + at, bytes + at + 1, --size - at);
		} else if (size > 0) {
			bytes[at] ^= (uint8_t)(kind == 2 ? 1u << (word >> 8 & 7) : word >> 8);
		}
	}
	return size;
}

static void draw_input(void)
{
	const unsigned seed = (unsigned)wp_random_next(&pool.random);
	const struct wp_kept *from = wp_pool_draw(&pool);

	if (wp_random_below(&pool.random, 8) == 0) {
		const struct wp_kept *other = wp_pool_draw(&pool);

		input_size = LLVMFuzzerCustomCrossOver(from->bytes, from->size, other->bytes,
		                                       other->size, input, MAX_MUTANT, seed);
		return;
	}
	input_size = from->size < MAX_MUTANT ? from->size : MAX_MUTANT;
	memcpy(input, from->bytes, input_size);
	input_size = LLVMFuzzerCustomMutator(input, input_size, MAX_MUTANT, seed);
}

/* As libFuzzer names what it keeps: by a hash of it. */
static void keep(const char *folder)
{
	char path[WP_PATH_BYTES];

	wp_pool_keep(&pool, input, input_size);
	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%016" PRIx64, folder, hash_of(input, input_size));
	if (write_input(path))
		return;
	fprintf(stderr, "%s: can't write %s: %s\n", program_invocation_short_name, path,
	        strerror(errno));
	exit(2);
}

static void fuzz(const struct wp_options *options)
{
	const time_t end = time(NULL) + (time_t)options->seconds;
	const unsigned long first = inputs;
	uint64_t points = wp_target_points();
	size_t kept = 0;

	wp_random_seed(&pool.random, options->seed);
	wp_pool_keep(&pool, input, 0);
	is_mutant = true;
	signal(SIGINT, on_interrupt);
	while (!interrupted && (options->runs == 0 || inputs - first < options->runs)) {
		if (options->seconds > 0 && time(NULL) >= end)
			break;
		draw_input();
		snprintf(name, sizeof name, "crash-%016" PRIx64, hash_of(input, input_size));
		run_input();
		if (wp_target_points() == points)
			continue;
		points = wp_target_points();
		keep(options->folder);
		kept++;
	}
	printf("%lu mutants, %zu kept, %" PRIu64 " coverpoints\n", inputs - first, kept, points);
}

int main(int argc, char **argv)
{
	struct wp_options options;

	wp_standalone_options(&options, argc, argv);
	LLVMFuzzerInitialize(&argc, &argv);
	signal(SIGABRT, on_end);
	signal(SIGSEGV, on_end);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			wp_each_file(argv[i], run_file);
	}
	if (options.runs > 0 || options.seconds > 0)
		fuzz(&options);
	printf("%lu inputs, no finding\n", inputs);
	return 0;
}
