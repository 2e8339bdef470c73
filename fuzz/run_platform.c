/* SPDX-License-Identifier: MIT */
/* The platform that a subject is given: every service is watched. */
#include "platform.h"
#include "run_private.h"

static bool platform_alloc_frame(void *context, pt_paddr *frame)
{
	struct wp_runner *runner = context;

	if (!wp_memory_alloc(&runner->memory, &frame->value))
		return false;
	wp_trace_fresh(&runner->watch.trace, frame->value);
	return true;
}

static bool platform_alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	struct wp_runner *runner = context;

	if (!wp_memory_alloc_contiguous(&runner->memory, count, align, &first->value))
		return false;
	for (size_t i = 0; i < count; i++)
		wp_trace_fresh(&runner->watch.trace,
		               first->value + i * wp_frame_size(&runner->memory));
	return true;
}

static void platform_free_frame(void *context, pt_paddr frame)
{
	struct wp_runner *runner = context;

	wp_run_judge_free(runner, frame.value, 1);
	wp_memory_free(&runner->memory, frame.value);
}

static void platform_free_frames(void *context, pt_paddr first, size_t count)
{
	struct wp_runner *runner = context;

	wp_run_judge_free(runner, first.value, count);
	wp_memory_free_contiguous(&runner->memory, first.value, count);
}

/*
 * The CPU walks again at once: what it then finds is cached too, so that a flush which
 * comes before its store is as good as none.
 */
static void flush_tlbs(struct wp_runner *runner, const uint64_t *va)
{
	bool dropped = false;

	for (unsigned i = 0; i < WP_MODEL_TABLES; i++)
		dropped |= wp_tlb_flush(&runner->tlbs[i], va);
	if (dropped && runner->call)
		wp_run_fill_tlbs(runner, runner->call);
}

static void platform_flush_address(void *context, pt_vaddr vaddr)
{
	struct wp_runner *runner = context;

	runner->flushes++;
	runner->stats->flushes++;
	runner->stores_at_flush = runner->stores;
	flush_tlbs(runner, &vaddr.value);
	wp_run_harvest_flush(runner, &vaddr.value);
	wp_run_watch_flush(runner, &vaddr.value);
	wp_run_warm_flush(runner, &vaddr.value);
}

static void platform_flush_all(void *context)
{
	struct wp_runner *runner = context;

	runner->flushes++;
	runner->stats->full_flushes++;
	runner->stores_at_flush = runner->stores;
	flush_tlbs(runner, NULL);
	wp_run_harvest_flush(runner, NULL);
	wp_run_watch_flush(runner, NULL);
	wp_run_warm_flush(runner, NULL);
}

static void platform_storing(void *context, void *entry)
{
	wp_run_accessed_storing(context, entry);
}

static void platform_stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	struct wp_runner *runner = context;

	runner->stores++;
	wp_run_watch_store(runner, entry, before, after);
}

struct pt_platform wp_run_platform(struct wp_runner *runner)
{
	struct pt_platform platform = wp_memory_platform(&runner->memory);

	platform.context = runner;
	platform.alloc_frame = platform_alloc_frame;
	platform.alloc_frames = platform_alloc_frames;
	platform.free_frame = platform_free_frame;
	platform.free_frames = platform_free_frames;
	platform.flush_address = platform_flush_address;
	platform.flush_all = platform_flush_all;
	platform.storing = platform_storing;
	platform.stored = platform_stored;
	return platform;
}
