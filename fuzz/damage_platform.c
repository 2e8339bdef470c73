/* SPDX-License-Identifier: MIT */
/* The platform from the damage on: of the judge's hooks none stays. */
#include "damage_private.h"

#include <inttypes.h>

#define LAW WP_LAW_ARBITRARY_MEMORY

/* Of one call: no range is so long that it takes more. */
#define STORES_MOST 400000u

static bool damaged_alloc(void *context, pt_paddr *frame)
{
	struct wp_damaged *d = context;

	return wp_memory_alloc(&d->runner->memory, &frame->value);
}

/* A frame that two entries lead to may be given back twice: that is the damage's doing. */
static void damaged_free(void *context, pt_paddr frame)
{
	struct wp_damaged *d = context;

	if (++d->frees > d->runner->memory.frames) {
		wp_found(&d->result->finding, LAW, "endless",
		         "%s() gives back frames without an end", d->name);
		wp_reading_leave();
	}
	if (wp_memory_is_used(&d->runner->memory, frame.value))
		wp_memory_free(&d->runner->memory, frame.value);
}

static void damaged_flush(void *context, pt_vaddr vaddr)
{
	struct wp_damaged *d = context;

	(void)vaddr;
	d->flushes++;
}

static void damaged_flush_all(void *context)
{
	struct wp_damaged *d = context;

	d->flushes++;
}

static void damaged_stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	struct wp_damaged *d = context;
	const struct wp_memory *memory = &d->runner->memory;
	const uint64_t pa = memory->base + (uint64_t)((const uint8_t *)entry - memory->host);

	(void)before;
	(void)after;
	if (!wp_memory_is_used(memory, wp_frame_of(memory, pa)))
		wp_found(&d->result->finding, LAW, "store-outside",
		         "%s() stored to %#" PRIx64 ", which no frame of its own holds", d->name,
		         pa);
	if (++d->stores <= STORES_MOST)
		return;
	wp_found(&d->result->finding, LAW, "endless", "%s() stores without an end", d->name);
	wp_reading_leave();
}

struct pt_platform wp_damage_platform(struct wp_damaged *d, const struct pt_platform *before)
{
	return (struct pt_platform){
		.context = d,
		.alloc_frame = damaged_alloc,
		.free_frame = damaged_free,
		.direct_first = before->direct_first,
		.direct_size = before->direct_size,
		.direct_base = before->direct_base,
		.flush_address = damaged_flush,
		.flush_all = damaged_flush_all,
		.stored = damaged_stored,
	};
}
