/* SPDX-License-Identifier: MIT */
/* What memory programs are run in: guest memory, shapes and machines. */
#include "memory_program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define WINDOW_FRAMES 1024u /* QEMU takes 256 at least */
#define LARGEST_FRAME (16 * WP_FRAME_SIZE)

/* ---- the platform: frames for the tables that shapes are taken from ---- */

static bool platform_alloc(void *context, pt_paddr *frame)
{
	struct wp_memory_runner *runner = context;

	return wp_memory_alloc_bytes(&runner->memory, runner->frame_size, runner->frame_size,
	                             &frame->value);
}

static bool platform_alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	struct wp_memory_runner *runner = context;

	return wp_memory_alloc_bytes(&runner->memory, count * runner->frame_size, align,
	                             &first->value);
}

static void platform_free(void *context, pt_paddr frame)
{
	struct wp_memory_runner *runner = context;

	wp_memory_free_bytes(&runner->memory, frame.value, runner->frame_size);
}

static void platform_free_frames(void *context, pt_paddr first, size_t count)
{
	struct wp_memory_runner *runner = context;

	wp_memory_free_bytes(&runner->memory, first.value, count * runner->frame_size);
}

static struct pt_platform make_platform(struct wp_memory_runner *runner)
{
	struct pt_platform platform = wp_memory_platform(&runner->memory);

	platform.context = runner;
	platform.alloc_frame = platform_alloc;
	platform.alloc_frames = platform_alloc_frames;
	platform.free_frame = platform_free;
	platform.free_frames = platform_free_frames;
	return platform;
}

/* ---- opening and closing ---- */

bool wp_memory_runner_open(struct wp_memory_runner *runner, unsigned without, char *why,
                           size_t why_size)
{
	memset(runner, 0, sizeof *runner);
	snprintf(why, why_size, "out of memory");
	runner->shapes = calloc(wp_regime_count, sizeof *runner->shapes);
	runner->stats = calloc(wp_regime_count, sizeof *runner->stats);
	if (!runner->shapes || !runner->stats)
		return false;
	if (!wp_memory_open(&runner->memory, WP_WINDOW_BASE, WINDOW_FRAMES)) {
		snprintf(why, why_size, "can't map %u KiB of guest memory (memfd_create): %s",
		         WINDOW_FRAMES * 4, strerror(errno));
		return false;
	}
	runner->platform = make_platform(runner);
	if (!wp_reading_open(&runner->reading, &runner->memory, &runner->platform)) {
		snprintf(why, why_size, "can't map guest memory a second time: %s",
		         strerror(errno));
		return false;
	}
	if (!wp_memory_alloc_bytes(&runner->memory, WP_MEMORY_FRAMES * LARGEST_FRAME, LARGEST_FRAME,
	                           &runner->first))
		return false;
	for (size_t i = 0; i < wp_regime_count; i++) {
		if (!wp_memory_shapes_take(runner, &wp_regimes[i]))
			return false;
	}
	runner->sample = WP_SAMPLE;
	return wp_machines_open(&runner->set, &runner->memory, WP_ALL_ARCHS, without, why,
	                        why_size);
}

void wp_memory_use(struct wp_memory_runner *runner, const struct wp_subject *subject)
{
	for (size_t i = 0; i < wp_regime_count && subject->backend != NULL; i++) {
		if (wp_subject_serves(subject, &wp_regimes[i]))
			runner->shapes[i].created.backend = subject->backend;
	}
}

void wp_memory_runner_close(struct wp_memory_runner *runner)
{
	wp_machines_close(&runner->set);
	wp_reading_close(&runner->reading);
	if (runner->memory.host)
		wp_memory_close(&runner->memory);
	free(runner->shapes);
	free(runner->stats);
}
