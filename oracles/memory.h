/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: one memory-file-backed window of guest physical addresses that
 * the subject, and every machine, sees without a copy; and the frames handed out
 * from it, each checked.
 */
#ifndef WP_MEMORY_H
#define WP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smallest frame, which a window is cut into at first. */
#define WP_FRAME_SHIFT 12u
#define WP_FRAME_SIZE  (1u << WP_FRAME_SHIFT)

/* The window that every machine serves: QEMU has room for it here on all architectures. */
#define WP_WINDOW_BASE   0xc0000000u
#define WP_WINDOW_FRAMES 4096u /* of the smallest */

/* What a subject did wrong with a frame; the first one sticks until reset. */
enum wp_frame_crime {
	WP_FRAME_FINE,
	WP_FRAME_FREED_TWICE,
	WP_FRAME_FREED_FOREIGN, /* never handed out, or not a frame's address */
	WP_FRAME_WRITTEN_AFTER_FREE,
	WP_FRAME_WRITTEN_FOREIGN, /* and never handed out */
};

/* What free frames are filled with: `entry`, and in it the frame's index at `shift`. */
struct wp_poison {
	uint64_t entry;
	uint8_t shift; /* 0: the same in every frame */
};

struct wp_memory {
	uint64_t base;       /* guest physical address of the window */
	size_t size;         /* of the window, in bytes */
	size_t frames;       /* that it is cut into */
	uint8_t frame_shift; /* log2 of a frame's size */
	uint8_t *host;       /* where the window is mapped here */
	int fd;              /* the memory file: shared with emulators */

	/* LoongArch: physical address 0, where empty directories lead, holds a frame of zeros. */
	bool zeros_at_0;

	size_t in_use;      /* frames handed out and not yet free */
	size_t allocations; /* calls answered with a frame since the last reset */
	size_t refusals;
	enum wp_frame_crime crime;
	uint64_t crime_frame; /* guest physical address */

	/* private */
	struct wp_poison poison;
	uint64_t *filled; /* with what each frame was, last */
	uint8_t *state;
	uint32_t *free_stack;
	size_t free_count;
	size_t high_water; /* frames below this index were touched since reset */
	size_t refuse_after;
	bool refuse_once;
};

/* False: errno tells why. `base` must be aligned; `frames` are of the smallest size. */
bool wp_memory_open(struct wp_memory *memory, uint64_t base, size_t frames);

/* The same, with the window at host address `host`; EEXIST: something is there already. */
bool wp_memory_open_at(struct wp_memory *memory, uint64_t base, size_t frames, uintptr_t host);
void wp_memory_close(struct wp_memory *memory);

/*
 * All frames free again, poisoned, the counters zero. Costs time in proportion
 * to the frames that were used. Also looks for writes after free (see crime):
 * call wp_memory_audit() first if the answer matters.
 */
void wp_memory_reset(struct wp_memory *memory);

/*
 * The same, and from now on the window is frames of that size, as many as it has room
 * for: what a regime takes for a frame.
 */
void wp_memory_cut(struct wp_memory *memory, unsigned frame_shift);

/* Records a crime if the poison of a frame that isn't handed out was disturbed. */
void wp_memory_audit(struct wp_memory *memory);

/* Anything may have been written anywhere: the next reset looks at all of the window. */
void wp_memory_distrust(struct wp_memory *memory);

/*
 * Frames that were given back, and from now on those handed out and given back, are
 * poisoned with this. Frames never handed out keep WP_POISON, whatever came before.
 */
void wp_memory_poison(struct wp_memory *memory, struct wp_poison poison);

/* What every word of a frame was when it was handed out. */
uint64_t wp_memory_poison_of(const struct wp_memory *memory, uint64_t frame);

/* Frames come in a fixed order: the same calls get the same addresses. */
bool wp_memory_alloc(struct wp_memory *memory, uint64_t *frame);
bool wp_memory_alloc_contiguous(struct wp_memory *memory, size_t count, uint64_t align,
                                uint64_t *first);
void wp_memory_free(struct wp_memory *memory, uint64_t frame);
void wp_memory_free_contiguous(struct wp_memory *memory, uint64_t first, size_t count);

/*
 * The next `successes` frames are granted, then one allocation is refused (`once`) or
 * all are. wp_memory_allow() takes that back.
 */
void wp_memory_refuse(struct wp_memory *memory, size_t successes, bool once);
void wp_memory_allow(struct wp_memory *memory);

/* Frames that would be granted from now on until the first refusal. */
size_t wp_memory_available(const struct wp_memory *memory);

/* Whether a frame is handed out now. */
static inline bool wp_memory_is_used(const struct wp_memory *memory, uint64_t frame);

/*
 * What every free frame is filled with, unless wp_memory_poison() says otherwise: no
 * architecture takes it for a translation, and a person recognises it.
 */
#define WP_POISON 0xdeadf4a3e0000000u

/*
 * Where poison that is a translation leads: an address aligned to 1 GiB, with the index
 * of the freed frame in it, so that it may stand in a table of any level with leaves.
 */
#define WP_TELLTALE       ((uint64_t)1 << 46)
#define WP_TELLTALE_SHIFT 30

/* The free frame through which a walk came to `pa`; 0: it isn't a tell-tale address. */
uint64_t wp_memory_telltale(const struct wp_memory *memory, uint64_t pa);

/* Since the last reset. */
enum wp_frame_state {
	WP_FRAME_UNTOUCHED,
	WP_FRAME_USED,
	WP_FRAME_FREED,
};

static inline size_t wp_frame_size(const struct wp_memory *memory)
{
	return (size_t)1 << memory->frame_shift;
}

/* The frame that an address lies in. */
static inline uint64_t wp_frame_of(const struct wp_memory *memory, uint64_t pa)
{
	return pa >> memory->frame_shift << memory->frame_shift;
}

static inline bool wp_memory_is_used(const struct wp_memory *memory, uint64_t frame)
{
	const uint64_t index = (frame - memory->base) >> memory->frame_shift;

	return wp_frame_of(memory, frame) == frame && index < memory->frames &&
	       memory->state[index] == WP_FRAME_USED;
}

/*
 * `size` bytes, aligned to `align`, as so many frames. False: refused. To be freed by
 * wp_memory_free_bytes().
 */
bool wp_memory_alloc_bytes(struct wp_memory *memory, size_t size, uint64_t align, uint64_t *first);
void wp_memory_free_bytes(struct wp_memory *memory, uint64_t first, size_t size);

/* NULL: not all of [pa, pa + length) lies in the window. */
static inline void *wp_memory_at(const struct wp_memory *memory, uint64_t pa, size_t length)
{
	const uint64_t offset = pa - memory->base;

	if (offset >= memory->size || length > memory->size - offset)
		return NULL;
	return memory->host + offset;
}

#endif
