/* SPDX-License-Identifier: MIT */
/* What a shared object asks of us. */
#include "subject_foreign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void host_panicked(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message != NULL ? message : "panic");
	fflush(stderr);
	abort();
}

/* How many frames; a length that is no number of frames is the subject's mistake. */
static size_t frames_of(const struct wp_instance *instance, uint64_t bytes, const char *call)
{
	const uint64_t page = wp_regime_page(instance->regime);
	char message[120];

	if (bytes != 0 && bytes % page == 0)
		return (size_t)(bytes / page);
	snprintf(message, sizeof message,
	         "host->%s() is asked for %" PRIu64 " bytes, which is no multiple of %" PRIu64,
	         call, bytes, page);
	host_panicked(NULL, message);
	return 0;
}

static uint64_t host_alloc(void *context, uint64_t bytes, uint64_t align)
{
	const struct wp_instance *instance = context;
	const struct pt_platform *platform = instance->platform;
	const size_t count = frames_of(instance, bytes, "alloc");
	pt_paddr frame;
	bool granted;

	if (count == 1 && align <= wp_regime_page(instance->regime))
		granted = platform->alloc_frame(platform->context, &frame);
	else
		granted = platform->alloc_frames != NULL &&
		          platform->alloc_frames(platform->context, count, align, &frame);
	return granted ? frame.value : 0;
}

static void host_free(void *context, uint64_t pa, uint64_t bytes)
{
	const struct wp_instance *instance = context;
	const struct pt_platform *platform = instance->platform;
	const size_t count = frames_of(instance, bytes, "free");

	if (count == 1)
		platform->free_frame(platform->context, pt_pa(pa));
	else
		platform->free_frames(platform->context, pt_pa(pa), count);
}

static void host_stored(void *context, const volatile void *entry, uint64_t before, uint64_t after)
{
	const struct pt_platform *platform = ((struct wp_instance *)context)->platform;

	platform->stored(platform->context, (const void *)(uintptr_t)entry, before, after);
}

static void host_flush(void *context, uint64_t va)
{
	const struct pt_platform *platform = ((struct wp_instance *)context)->platform;

	platform->flush_address(platform->context, pt_va(va));
}

static void host_flush_all(void *context)
{
	const struct pt_platform *platform = ((struct wp_instance *)context)->platform;

	platform->flush_all(platform->context);
}

struct wp_host wp_foreign_host(struct wp_instance *instance)
{
	const struct pt_platform *platform = instance->platform;

	return (struct wp_host){
		.version = WP_SUBJECT_VERSION,
		.bytes = sizeof(struct wp_host),
		.context = instance,
		.window_pa = platform->direct_first.value,
		.window_bytes = platform->direct_size,
		.window = platform->direct_base,
		.alloc = host_alloc,
		.free = host_free,
		.stored = host_stored,
		.flush = host_flush,
		.flush_all = host_flush_all,
		.panicked = host_panicked,
	};
}
