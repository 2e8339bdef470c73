/* SPDX-License-Identifier: MIT */
#include "platform.h"

static bool alloc_frame(void *context, pt_paddr *frame)
{
	return wp_memory_alloc(context, &frame->value);
}

static bool alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	return wp_memory_alloc_contiguous(context, count, align, &first->value);
}

static void free_frame(void *context, pt_paddr frame)
{
	wp_memory_free(context, frame.value);
}

static void free_frames(void *context, pt_paddr first, size_t count)
{
	wp_memory_free_contiguous(context, first.value, count);
}

static void flush_address(void *context, pt_vaddr va)
{
	(void)context;
	(void)va;
}

static void flush_all(void *context)
{
	(void)context;
}

static void storing(void *context, void *entry)
{
	(void)context;
	(void)entry;
}

static void stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	(void)context;
	(void)entry;
	(void)before;
	(void)after;
}

struct pt_platform wp_memory_platform(struct wp_memory *memory)
{
	return (struct pt_platform){
		.context = memory,
		.alloc_frame = alloc_frame,
		.alloc_frames = alloc_frames,
		.free_frame = free_frame,
		.free_frames = free_frames,
		.direct_first = pt_pa(memory->base),
		.direct_size = memory->size,
		.direct_base = memory->host,
		.flush_address = flush_address,
		.flush_all = flush_all,
		.storing = storing,
		.stored = stored,
	};
}
