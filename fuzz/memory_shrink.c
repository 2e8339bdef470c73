/* SPDX-License-Identifier: MIT */
/* Makes an input of a memory program simpler, as long as it shows the same finding. */
#include "memory_program.h"

#include <limits.h>
#include <string.h>

/* An input, and one that may take its place. */
struct shrinking {
	struct wp_memory_runner *runner;
	const struct wp_scope *scope;
	char key[sizeof((struct wp_result *)0)->key];
	uint8_t *bytes;
	size_t size;
	uint8_t candidate[WP_MEMORY_BYTES];
	size_t runs; /* that are left */
	bool progress;
};

static bool breaks_alike(struct shrinking *shrinking, size_t size)
{
	struct wp_result result;

	if (shrinking->runs == 0)
		return false;
	shrinking->runs--;
	return !wp_memory_run(shrinking->runner, shrinking->scope, shrinking->candidate, size,
	                      &result) &&
	       strcmp(result.key, shrinking->key) == 0;
}

/* The candidate, if it shows the finding. */
static bool adopt(struct shrinking *shrinking, size_t size)
{
	if (!breaks_alike(shrinking, size))
		return false;
	memcpy(shrinking->bytes, shrinking->candidate, size);
	shrinking->size = size;
	shrinking->progress = true;
	return true;
}

static size_t recipes(const struct shrinking *shrinking)
{
	return (shrinking->size - 1) / WP_MEMORY_RECORD;
}

static bool drop_recipes(struct shrinking *shrinking, size_t first, size_t count)
{
	const size_t at = 1 + first * WP_MEMORY_RECORD, length = count * WP_MEMORY_RECORD;

	memcpy(shrinking->candidate, shrinking->bytes, at);
	memcpy(shrinking->candidate + at, shrinking->bytes + at + length,
	       shrinking->size - at - length);
	return adopt(shrinking, shrinking->size - length);
}

/* Halves, quarters, and so on to single ones. */
static void drop_what_is_needless(struct shrinking *shrinking)
{
	for (size_t count = recipes(shrinking); count > 0; count /= 2) {
		for (size_t first = 0; first + count <= recipes(shrinking);) {
			if (!drop_recipes(shrinking, first, count))
				first += count;
		}
	}
}

static void clear(struct shrinking *shrinking, size_t at, size_t count)
{
	static const uint8_t zeros[WP_MEMORY_RECORD];

	if (memcmp(shrinking->bytes + at, zeros, count) == 0)
		return;
	memcpy(shrinking->candidate, shrinking->bytes, shrinking->size);
	memset(shrinking->candidate + at, 0, count);
	adopt(shrinking, shrinking->size);
}

/* Zero is the simplest of everything: bytes, then the bits of those that are needed. */
static void clear_what_is_needless(struct shrinking *shrinking)
{
	for (size_t at = 1; at < shrinking->size; at++) {
		if (at % (WP_MEMORY_RECORD / 2) == 1)
			clear(shrinking, at, WP_MEMORY_RECORD / 2);
		clear(shrinking, at, 1);
		for (unsigned bit = 0; bit < 8; bit++) {
			if ((shrinking->bytes[at] >> bit & 1) == 0)
				continue;
			memcpy(shrinking->candidate, shrinking->bytes, shrinking->size);
			shrinking->candidate[at] ^= (uint8_t)(1u << bit);
			adopt(shrinking, shrinking->size);
		}
	}
}

bool wp_memory_shrink(struct wp_memory_runner *runner, const struct wp_scope *scope, uint8_t *bytes,
                      size_t *size, struct wp_result *result, size_t runs)
{
	struct shrinking shrinking = {
		.runner = runner, .scope = scope, .bytes = bytes, .size = *size, .runs = runs};
	const unsigned sample = runner->sample;

	if (*size > WP_MEMORY_BYTES || wp_memory_run(runner, scope, bytes, *size, result))
		return false;
	/* slow machines have a say in what is left only if they had one in the whole */
	runner->sample = wp_memory_is_sampled(runner, bytes, *size) ? 1 : UINT_MAX;
	memcpy(shrinking.key, result->key, sizeof shrinking.key);
	/* a recipe that the end cuts off goes on with zeros */
	while (shrinking.size % WP_MEMORY_RECORD != 1 && shrinking.size < WP_MEMORY_BYTES)
		bytes[shrinking.size++] = 0;
	do {
		shrinking.progress = false;
		drop_what_is_needless(&shrinking);
		clear_what_is_needless(&shrinking);
	} while (shrinking.progress && shrinking.runs > 0);
	wp_memory_run(runner, scope, bytes, shrinking.size, result);
	runner->sample = sample;
	*size = shrinking.size;
	return true;
}
