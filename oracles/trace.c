/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

bool wp_trace_open(struct wp_trace *trace, const struct wp_memory *memory)
{
	*trace = (struct wp_trace){
		.memory = memory, .old = *memory, .word_room = 4096, .commits = 1};
	trace->old.host = malloc(memory->size);
	trace->link = calloc(memory->frames, sizeof *trace->link);
	trace->forked = calloc(memory->frames, sizeof *trace->forked);
	trace->fresh = calloc(memory->frames, sizeof *trace->fresh);
	trace->fresh_in = calloc(memory->frames, sizeof *trace->fresh_in);
	trace->words = calloc(trace->word_room, sizeof *trace->words);
	return trace->old.host != NULL && trace->link != NULL && trace->forked != NULL &&
	       trace->fresh != NULL && trace->fresh_in != NULL && trace->words != NULL;
}

void wp_trace_close(struct wp_trace *trace)
{
	free(trace->old.host);
	free(trace->link);
	free(trace->forked);
	free(trace->fresh);
	free(trace->fresh_in);
	free(trace->words);
}

/* What is changed from now on belongs to another operation. */
static void forget_changes(struct wp_trace *trace)
{
	trace->word_count = 0;
	trace->fresh_count = 0;
	if (++trace->commits != 0)
		return;
	memset(trace->fresh_in, 0, trace->memory->frames * sizeof *trace->fresh_in);
	trace->commits = 1;
}

void wp_trace_reset(struct wp_trace *trace, const struct wp_regime *regime)
{
	trace->regime = regime;
	trace->written_by_cpu = wp_entry_written_by_cpu(regime);
	memset(trace->roots, 0, sizeof trace->roots);
	memset(trace->link, 0, trace->linked * sizeof *trace->link);
	memset(trace->forked, 0, trace->linked * sizeof *trace->forked);
	trace->linked = 0;
	trace->links = 0;
	trace->count = 0;
	forget_changes(trace);
}

static const uint64_t *word_at(const struct wp_trace *trace, uint64_t pa)
{
	return (const uint64_t *)(const void *)(trace->memory->host + (pa - trace->memory->base));
}

static size_t frame_index(const struct wp_trace *trace, uint64_t frame)
{
	return (size_t)((frame - trace->memory->base) >> trace->memory->frame_shift);
}

void wp_trace_commit(struct wp_trace *trace)
{
	uint64_t *const old = (uint64_t *)(void *)trace->old.host;
	const uint64_t *const now = (const uint64_t *)(const void *)trace->memory->host;
	const unsigned shift = trace->memory->frame_shift;

	if (trace->word_count == 0 && trace->fresh_count == 0)
		return;
	for (size_t i = 0; i < trace->word_count; i++)
		old[trace->words[i]] = now[trace->words[i]];
	for (size_t i = 0; i < trace->fresh_count; i++)
		memcpy(trace->old.host + ((size_t)trace->fresh[i] << shift),
		       trace->memory->host + ((size_t)trace->fresh[i] << shift),
		       wp_frame_size(trace->memory));
	forget_changes(trace);
}

bool wp_trace_is_fresh(const struct wp_trace *trace, uint64_t frame)
{
	const size_t index = frame_index(trace, frame);

	return index < trace->memory->frames && trace->fresh_in[index] == trace->commits;
}

void wp_trace_fresh(struct wp_trace *trace, uint64_t frame)
{
	const size_t index = frame_index(trace, frame);

	/* one that comes and goes within a call is listed once */
	if (index >= trace->memory->frames || wp_trace_is_fresh(trace, frame))
		return;
	trace->fresh_in[index] = trace->commits;
	trace->fresh[trace->fresh_count++] = (uint32_t)index;
}

/* Whether `entry`, of a table of `level`, leads to `frame`. */
static bool leads_to(const struct wp_trace *trace, uint64_t entry, unsigned level, uint64_t frame)
{
	uint64_t to;

	return wp_entry_read(trace->regime, level, *word_at(trace, entry), &to) == WP_ENTRY_TABLE &&
	       to == frame;
}

/* The root that an entry is in; 0: none. */
static uint64_t root_of(const struct wp_trace *trace, uint64_t entry)
{
	const size_t size = wp_regime_root_bytes(trace->regime);

	for (size_t i = 0; i < WP_TRACE_ROOTS; i++) {
		if (trace->roots[i] != 0 && entry - trace->roots[i] < size)
			return trace->roots[i];
	}
	return 0;
}

bool wp_trace_place(const struct wp_trace *trace, uint64_t entry, struct wp_place *place)
{
	const struct wp_memory *memory = trace->memory;
	uint64_t path[8], va, root;
	unsigned depth = 0, shift;
	bool forked = false;

	/* up to a root, and down again with the levels known */
	for (path[0] = entry; (root = root_of(trace, path[depth])) == 0; depth++) {
		const size_t index = frame_index(trace, path[depth]);

		forked |= trace->forked[index];
		place->forked = forked;
		path[depth + 1] = trace->link[index];
		if (depth + 2u > trace->regime->levels || path[depth + 1] == 0)
			return false;
	}
	shift = wp_regime_shift(trace->regime, 0);
	va = (path[depth] - root) / 8 << shift;
	for (unsigned level = 0; level < depth; level++) {
		const uint64_t below = path[depth - level - 1];

		if (!leads_to(trace, path[depth - level], level, wp_frame_of(memory, below)))
			return false;
		shift -= trace->regime->index_bits;
		va |= (below - wp_frame_of(memory, below)) / 8 << shift;
	}
	va = wp_regime_extend(trace->regime, va);
	*place = (struct wp_place){
		.level = depth,
		.first = va,
		.last = va + (((uint64_t)1 << shift) - 1),
		.root = root,
		.top = depth > 0 ? wp_frame_of(memory, path[depth - 1]) : root,
		.forked = forked,
	};
	return true;
}

uint64_t wp_trace_link(const struct wp_trace *trace, uint64_t frame)
{
	const size_t index = frame_index(trace, frame);
	const uint64_t link = index < trace->memory->frames ? trace->link[index] : 0;
	struct wp_place place;

	return link != 0 && wp_trace_place(trace, link, &place) &&
	                       leads_to(trace, link, place.level, frame)
	               ? link
	               : 0;
}

/*
 * Whether the entry that led to `frame` so far, as the link has it, does so beside
 * `entry`: but for two roots that share what one slot leads to, a frame has one place.
 */
static bool is_forked(const struct wp_trace *trace, uint64_t entry, uint64_t frame)
{
	const uint64_t link = trace->link[frame_index(trace, frame)];

	if (link == 0 || link == entry || !leads_to(trace, link, 1, frame))
		return false;
	if (root_of(trace, link) == 0 || root_of(trace, entry) == 0)
		return true;
	return link - root_of(trace, link) != entry - root_of(trace, entry);
}

/*
 * Remembers what `entry` leads to. Its level may not be known yet, as tables are built
 * before they are linked: then it is read as if of an upper level. A frame that a CPU
 * reaches already keeps its place, whatever is mapped there.
 */
static void note_link(struct wp_trace *trace, uint64_t entry, uint64_t value)
{
	struct wp_place place;
	size_t index;
	uint64_t to;

	if (wp_entry_read(trace->regime, 1, value, &to) != WP_ENTRY_TABLE ||
	    wp_memory_at(trace->memory, to, wp_frame_size(trace->memory)) == NULL ||
	    !wp_memory_is_used(trace->memory, to))
		return;
	trace->links++;
	index = frame_index(trace, to);
	if (index >= trace->linked)
		trace->linked = index + 1;
	trace->forked[index] |= is_forked(trace, entry, to);
	if (wp_trace_place(trace, entry, &place) && place.level + 1u >= trace->regime->levels)
		return;
	if (wp_trace_link(trace, to) == 0)
		trace->link[index] = entry;
}

static void note_word(struct wp_trace *trace, uint64_t entry)
{
	if (trace->fresh_in[frame_index(trace, entry)] == trace->commits)
		return;
	if (trace->word_count == trace->word_room) {
		uint32_t *const more = realloc(trace->words,
		                               2 * trace->word_room * sizeof *trace->words);

		if (more == NULL)
			abort();
		trace->words = more;
		trace->word_room *= 2;
	}
	trace->words[trace->word_count++] = (uint32_t)((entry - trace->memory->base) / 8);
}

bool wp_trace_store(struct wp_trace *trace, uint64_t entry, uint64_t before, uint64_t after,
                    uint32_t op)
{
	if (entry % 8 != 0 || !wp_memory_is_used(trace->memory, wp_frame_of(trace->memory, entry)))
		return false;
	note_word(trace, entry);
	trace->stores[trace->count++ % WP_TRACE_STORES] = (struct wp_store){entry, before, after,
	                                                                    op};
	note_link(trace, entry, after);
	return ((*word_at(trace, entry) ^ after) & ~trace->written_by_cpu) == 0;
}

const struct wp_store *wp_trace_last(const struct wp_trace *trace, uint64_t entry)
{
	for (uint64_t i = trace->count; i > 0 && i + WP_TRACE_STORES > trace->count; i--) {
		const struct wp_store *store = &trace->stores[(i - 1) % WP_TRACE_STORES];

		if (store->entry == entry)
			return store;
	}
	return NULL;
}

uint64_t wp_trace_differs(struct wp_trace *trace, uint64_t frame)
{
	const size_t size = wp_frame_size(trace->memory);
	const uint64_t *const now = word_at(trace, frame);
	uint64_t *const old = (uint64_t *)(void *)(trace->old.host + (frame - trace->memory->base));

	if (memcmp(now, old, size) == 0)
		return 0;
	for (size_t i = 0; i < size / sizeof *now; i++) {
		if (((now[i] ^ old[i]) & ~trace->written_by_cpu) != 0)
			return frame + i * 8;
	}
	memcpy(old, now, size); /* what a CPU wrote there is looked at once */
	return 0;
}
