/* SPDX-License-Identifier: MIT */
/*
 * The frames that are handed out and given back: when (L3, L6), how many (L2, L6), and
 * what is in them.
 */
#include "run_private.h"

#include <inttypes.h>
#include <wchar.h>

/* L6: guest memory saw a frame used wrongly. */
void wp_run_judge_frames(struct wp_runner *runner)
{
	static const struct {
		const char *kind, *what;
	} crimes[] = {
		[WP_FRAME_FREED_TWICE] = {"freed-twice", "was freed twice"},
		[WP_FRAME_FREED_FOREIGN] = {"freed-foreign", "was freed and never handed out"},
		[WP_FRAME_WRITTEN_AFTER_FREE] = {"written-after-free",
	                                         "was written after it was freed"},
		[WP_FRAME_WRITTEN_FOREIGN] = {"written-foreign",
	                                      "was written and never handed out"},
	};
	const struct wp_memory *memory = &runner->memory;

	if (memory->crime != WP_FRAME_FINE)
		wp_found(&runner->result->finding, WP_LAW_NOTHING_LOST, crimes[memory->crime].kind,
		         "frame %#" PRIx64 " %s", memory->crime_frame, crimes[memory->crime].what);
}

/* L2, L6: frames in use are what the model says; between unlinking and flush, more. */
void wp_run_judge_frame_count(struct wp_runner *runner, pt_status status, size_t before)
{
	struct wp_finding *finding = &runner->result->finding;
	const wp_profile profile = runner->subject->profile;
	size_t tables = 0, surplus;

	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (wp_model_exists(runner->model, i))
			tables += wp_model_tables(runner->model, i);
	}
	surplus = runner->memory.in_use > tables ? runner->memory.in_use - tables : 0;
	if (status != PT_OK && wp_deviates(profile, WP_PARTIAL_TABLES) && surplus > runner->waiting)
		runner->kept = surplus - runner->waiting;
	else if (status != PT_OK && runner->memory.in_use != before)
		wp_found(finding, WP_LAW_ALL_OR_NOTHING, "frames",
		         "a call that returned %s left %zu frames in use, %zu before",
		         wp_status_text(status), runner->memory.in_use, before);
	else if (surplus > runner->waiting + runner->kept && !wp_deviates(profile, WP_NO_RECLAIM))
		wp_found(finding, WP_LAW_NOTHING_LOST, "leak",
		         "%zu frames are in use, the mappings need %zu and %zu wait for a flush",
		         runner->memory.in_use, tables, runner->waiting);
	else if (runner->memory.in_use < tables)
		wp_found(finding, WP_LAW_NOTHING_LOST, "freed-in-use",
		         "%zu frames are in use, the mappings need %zu", runner->memory.in_use,
		         tables);
	if (runner->kept > surplus)
		runner->kept = surplus;
	runner->waiting = surplus - runner->kept;
}

/* What the table at `frame` translated, if that waits for its flush; UINT64_MAX: it doesn't. */
static uint64_t find_unflushed(const struct wp_runner *runner, uint64_t frame)
{
	const struct wp_store_watch *watch = &runner->watch;
	const uint32_t count = watch->broken_count < WP_BROKEN ? watch->broken_count : WP_BROKEN;

	for (uint32_t i = 0; i < count; i++) {
		if (watch->broken[i].frame == frame)
			return watch->broken[i].first;
	}
	return UINT64_MAX;
}

/* A table that a CPU was seen to reach: it is unlinked, and what unlinked it flushed. */
static void judge_unlinked(struct wp_runner *runner, uint64_t frame)
{
	struct wp_finding *finding = &runner->result->finding;
	const uint64_t link = wp_trace_link(&runner->watch.trace, frame);
	uint64_t va;

	if (link != 0) {
		wp_found(finding, WP_LAW_NO_STALE_WALK, "freed-linked",
		         "the table at %#" PRIx64 " was given back while the entry at %#" PRIx64
		         " leads to it",
		         frame, link);
		return;
	}
	va = find_unflushed(runner, frame);
	if (va != UINT64_MAX)
		wp_found(finding, WP_LAW_NO_STALE_WALK, "freed-unflushed",
		         "the table at %#" PRIx64
		         " was given back, and no flush since it was unlinked reached %#" PRIx64
		         ", which it translated",
		         frame, va);
}

/*
 * L3: a table, or a root of `count` frames, is given back only after the flush that
 * unlinks it. Nothing unlinks a root, and nobody sees what is below one that goes: so
 * between the last store and the free there must be some flush, unless the frame never
 * was in a table before this operation.
 */
void wp_run_judge_free(struct wp_runner *runner, uint64_t first, size_t count)
{
	const struct wp_store_watch *watch = &runner->watch;

	if (!watch->on || runner->ignoring || !wp_run_checks(runner, WP_CHECK_FRAMES) ||
	    !runner->subject->reports_flushes)
		return;
	for (size_t i = 0; i < count; i++)
		judge_unlinked(runner, first + i * wp_frame_size(&runner->memory));
	if (runner->stores == runner->stores_at_flush || wp_trace_is_fresh(&watch->trace, first))
		return;
	wp_found(&runner->result->finding, WP_LAW_NO_STALE_WALK, "freed-before-flush",
	         "the table at %#" PRIx64 " was given back with no flush since the last store",
	         first);
}

/*
 * How many words of a table are `value`. By its upper half, which differs from what
 * tables hold, and wmemchr(), which stays fast under sanitizers.
 */
static size_t count_words(const uint64_t *words, size_t bytes, uint64_t value)
{
	_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "wmemchr() finds halves of words");
	const size_t halves = bytes / sizeof(wchar_t);
	const wchar_t *const first = (const wchar_t *)(const void *)words;
	const wchar_t *at = first;
	size_t count = 0;

	while ((at = wmemchr(at, (wchar_t)(value >> 32), halves - (size_t)(at - first))) != NULL) {
		const size_t half = (size_t)(at++ - first);

		count += half % 2 == 1 && words[half / 2] == value;
	}
	return count;
}

/* L6: a table that was handed out in this operation holds nothing of what it held before. */
void wp_run_judge_fresh(struct wp_runner *runner)
{
	const struct wp_trace *trace = &runner->watch.trace;
	const size_t size = wp_frame_size(&runner->memory);

	if (!wp_run_checks(runner, WP_CHECK_FRAMES))
		return;
	for (size_t i = 0; i < trace->fresh_count; i++) {
		const uint64_t frame = runner->memory.base + trace->fresh[i] * (uint64_t)size;
		const uint64_t poison = wp_memory_poison_of(&runner->memory, frame);
		const uint64_t *words = wp_memory_at(&runner->memory, frame, size);
		const size_t left = wp_memory_is_used(&runner->memory, frame)
		                            ? count_words(words, size, poison)
		                            : 0;

		if (left != 0)
			wp_found(&runner->result->finding, WP_LAW_NOTHING_LOST, "not-zeroed",
			         "%zu entries of the new table at %#" PRIx64
			         " are what was in its frame before",
			         left, frame);
	}
}

/* Where a walk that went wrong went through a table that was given back, says so. */
void wp_run_name_freed(struct wp_runner *runner, uint64_t va, const struct wp_answer *answer)
{
	const uint64_t frame = wp_memory_telltale(&runner->memory, answer->pa);

	if (answer->allowed != 0 && frame != 0)
		wp_found(&runner->result->finding, WP_LAW_NO_STALE_WALK, "freed-walked",
		         "a walk to %#" PRIx64 " goes through the freed table at %#" PRIx64, va,
		         frame);
}
