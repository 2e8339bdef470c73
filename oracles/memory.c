/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Bit 0 is P, valid, or V; with EPT bits 2:0 are. A LoongArch directory has
 * no such bit: there bit 6 (H) must be clear, and what is left is an address,
 * which wp_memory_open() keeps outside of the window.
 */
_Static_assert((WP_POISON & 7) == 0, "poison is not present");
_Static_assert((WP_POISON & 1 << 6) == 0, "poison is no huge page");
#define POISON_TABLE (WP_POISON & (((uint64_t)1 << 48) - WP_FRAME_SIZE))

static uint64_t poison_for(const struct wp_memory *memory, size_t index)
{
	const struct wp_poison *poison = &memory->poison;

	return poison->shift == 0 ? poison->entry
	                          : poison->entry | (uint64_t)index << poison->shift;
}

/* By memcpy() and memcmp(), which stay fast under sanitizers. */
static void fill(struct wp_memory *memory, size_t index, uint64_t word)
{
	uint8_t *const frame = memory->host + (index << memory->frame_shift);

	memory->filled[index] = word;
	memcpy(frame, &word, sizeof word);
	for (size_t done = sizeof word; done < wp_frame_size(memory); done *= 2)
		memcpy(frame + done, frame, done);
}

/* All words are equal if each equals the one before it. */
static bool intact(const struct wp_memory *memory, size_t index)
{
	const uint8_t *const frame = memory->host + (index << memory->frame_shift);
	const size_t word = sizeof memory->filled[index];

	return memcmp(frame, &memory->filled[index], word) == 0 &&
	       memcmp(frame, frame + word, wp_frame_size(memory) - word) == 0;
}

static uint64_t address_of(const struct wp_memory *memory, uint64_t index)
{
	return memory->base + (index << memory->frame_shift);
}

/* The frame's index; `frames` if the address is no frame's. */
static size_t index_of(const struct wp_memory *memory, uint64_t frame)
{
	const uint64_t offset = frame - memory->base;

	const uint64_t index = offset >> memory->frame_shift;

	return index << memory->frame_shift == offset && index < memory->frames ? (size_t)index
	                                                                        : memory->frames;
}

static void accuse(struct wp_memory *memory, enum wp_frame_crime crime, uint64_t frame)
{
	if (memory->crime != WP_FRAME_FINE)
		return;
	memory->crime = crime;
	memory->crime_frame = frame;
}

static void accuse_of_writing(struct wp_memory *memory, size_t index)
{
	accuse(memory,
	       memory->state[index] == WP_FRAME_UNTOUCHED ? WP_FRAME_WRITTEN_FOREIGN
	                                                  : WP_FRAME_WRITTEN_AFTER_FREE,
	       address_of(memory, index));
}

/* At `at`, or wherever there is room if that is 0. */
static bool open_window(struct wp_memory *memory, uintptr_t at)
{
	const int fixed = at != 0 ? MAP_FIXED_NOREPLACE : 0;
	void *host;

	memory->fd = memfd_create("guest-memory", MFD_CLOEXEC);
	if (memory->fd < 0 || ftruncate(memory->fd, (off_t)memory->size) != 0)
		return false;
	host = mmap((void *)at, memory->size, PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_POPULATE | fixed, memory->fd, 0);
	if (host == MAP_FAILED)
		return false;
	memory->host = host;
	return true;
}

bool wp_memory_open(struct wp_memory *memory, uint64_t base, size_t frames)
{
	return wp_memory_open_at(memory, base, frames, 0);
}

bool wp_memory_open_at(struct wp_memory *memory, uint64_t base, size_t frames, uintptr_t host)
{
	const size_t size = frames << WP_FRAME_SHIFT;

	*memory = (struct wp_memory){
		.base = base,
		.size = size,
		.frames = frames,
		.frame_shift = WP_FRAME_SHIFT,
		.fd = -1,
	};
	memory->poison.entry = WP_POISON;
	if (base % WP_FRAME_SIZE != 0 || frames == 0 || frames >= UINT32_MAX ||
	    base + (size - 1) < base || POISON_TABLE - base < size) {
		errno = EINVAL;
		return false;
	}
	memory->state = calloc(frames, sizeof *memory->state);
	memory->free_stack = calloc(frames, sizeof *memory->free_stack);
	memory->filled = calloc(frames, sizeof *memory->filled);
	if (memory->state == NULL || memory->filled == NULL || memory->free_stack == NULL ||
	    !open_window(memory, host)) {
		const int error = errno;

		wp_memory_close(memory);
		errno = error;
		return false;
	}
	memory->high_water = frames; /* as if all of it had been used */
	for (size_t i = 0; i < frames; i++)
		memory->filled[i] = WP_POISON;
	wp_memory_reset(memory);
	return true;
}

void wp_memory_close(struct wp_memory *memory)
{
	if (memory->host != NULL)
		munmap(memory->host, memory->size);
	if (memory->fd >= 0)
		close(memory->fd);
	free(memory->state);
	free(memory->free_stack);
	free(memory->filled);
	*memory = (struct wp_memory){.fd = -1};
}

/* The frames that were handed out since the reset, and those that a table too long would reach. */
static size_t within_reach(const struct wp_memory *memory)
{
	const size_t reach = memory->high_water + 2;

	return reach < memory->frames ? reach : memory->frames;
}

/*
 * The stack holds the lowest frame on top. Frames from high_water on have never
 * left their places at its bottom, so only the top needs restoring.
 */
void wp_memory_reset(struct wp_memory *memory)
{
	for (size_t i = 0; i < within_reach(memory); i++) {
		if (memory->filled[i] != WP_POISON || !intact(memory, i))
			fill(memory, i, WP_POISON);
		memory->state[i] = WP_FRAME_UNTOUCHED;
		memory->free_stack[memory->frames - 1 - i] = (uint32_t)i;
	}
	memory->free_count = memory->frames;
	memory->high_water = 0;
	memory->in_use = 0;
	memory->allocations = 0;
	memory->refusals = 0;
	memory->crime = WP_FRAME_FINE;
	memory->crime_frame = 0;
	wp_memory_allow(memory);
}

/* All frames are untouched and hold WP_POISON then, whatever their size: the stack is left. */
void wp_memory_cut(struct wp_memory *memory, unsigned frame_shift)
{
	wp_memory_reset(memory);
	if (frame_shift == memory->frame_shift)
		return;
	memory->frame_shift = (uint8_t)frame_shift;
	memory->frames = memory->size >> frame_shift;
	memory->free_count = memory->frames;
	for (size_t i = 0; i < memory->frames; i++)
		memory->free_stack[memory->frames - 1 - i] = (uint32_t)i;
}

/*
 * Frames that were never handed out are checked when they are, and not here, but for those
 * that are near: it would cost a scan of the whole window.
 */
void wp_memory_audit(struct wp_memory *memory)
{
	for (size_t i = 0; i < within_reach(memory); i++) {
		if (memory->state[i] != WP_FRAME_USED && !intact(memory, i)) {
			accuse_of_writing(memory, i);
			return;
		}
	}
}

void wp_memory_distrust(struct wp_memory *memory)
{
	memory->high_water = memory->frames;
}

void wp_memory_poison(struct wp_memory *memory, struct wp_poison poison)
{
	memory->poison = poison;
	for (size_t i = 0; i < memory->high_water; i++) {
		if (memory->state[i] == WP_FRAME_FREED &&
		    memory->filled[i] != poison_for(memory, i))
			fill(memory, i, poison_for(memory, i));
	}
}

uint64_t wp_memory_poison_of(const struct wp_memory *memory, uint64_t frame)
{
	const size_t index = index_of(memory, frame);

	return index == memory->frames ? memory->poison.entry : memory->filled[index];
}

uint64_t wp_memory_telltale(const struct wp_memory *memory, uint64_t pa)
{
	const uint64_t index = (pa ^ WP_TELLTALE) >> WP_TELLTALE_SHIFT;

	if (memory->poison.shift == 0 || index >= memory->frames ||
	    memory->state[index] == WP_FRAME_USED)
		return 0;
	return address_of(memory, index);
}

/* True, and counted, if this allocation is one to refuse. */
static bool refused(struct wp_memory *memory, size_t count)
{
	if (count <= memory->refuse_after && count != 0 && count <= memory->free_count)
		return false;
	memory->refusals++;
	if (count > memory->refuse_after && memory->refuse_once)
		wp_memory_allow(memory);
	return true;
}

/* The poison stays in place: a subject must zero its tables itself. */
static void hand_out(struct wp_memory *memory, size_t index)
{
	if (!intact(memory, index))
		accuse_of_writing(memory, index);
	if (memory->filled[index] != poison_for(memory, index))
		fill(memory, index, poison_for(memory, index));
	memory->state[index] = WP_FRAME_USED;
	if (index >= memory->high_water)
		memory->high_water = index + 1;
	memory->in_use++;
}

static void count_success(struct wp_memory *memory, size_t count)
{
	memory->allocations++;
	if (memory->refuse_after != SIZE_MAX)
		memory->refuse_after -= count;
}

bool wp_memory_alloc(struct wp_memory *memory, uint64_t *frame)
{
	size_t index;

	if (refused(memory, 1))
		return false;
	index = memory->free_stack[--memory->free_count];
	hand_out(memory, index);
	count_success(memory, 1);
	*frame = address_of(memory, index);
	return true;
}

/* The lowest `count` free frames in a row that start aligned; `frames` if none. */
static size_t find_run(const struct wp_memory *memory, size_t count, uint64_t align)
{
	size_t length = 0;

	for (size_t i = 0; i < memory->frames; i++) {
		if (memory->state[i] == WP_FRAME_USED)
			length = 0;
		else if (length != 0 || (address_of(memory, i) & (align - 1)) == 0)
			length++;
		if (length == count)
			return i + 1 - count;
	}
	return memory->frames;
}

bool wp_memory_alloc_contiguous(struct wp_memory *memory, size_t count, uint64_t align,
                                uint64_t *first)
{
	size_t run, kept = 0;

	if (refused(memory, count))
		return false;
	run = find_run(memory, count, align);
	if (run == memory->frames) {
		memory->refusals++;
		return false;
	}
	for (size_t i = 0; i < memory->free_count; i++) {
		if (memory->free_stack[i] - run >= count)
			memory->free_stack[kept++] = memory->free_stack[i];
	}
	memory->free_count = kept;
	for (size_t i = 0; i < count; i++)
		hand_out(memory, run + i);
	count_success(memory, count);
	*first = address_of(memory, run);
	return true;
}

static size_t frames_for(const struct wp_memory *memory, size_t size)
{
	return (size + wp_frame_size(memory) - 1) >> memory->frame_shift;
}

bool wp_memory_alloc_bytes(struct wp_memory *memory, size_t size, uint64_t align, uint64_t *first)
{
	return wp_memory_alloc_contiguous(memory, frames_for(memory, size), align, first);
}

void wp_memory_free_bytes(struct wp_memory *memory, uint64_t first, size_t size)
{
	wp_memory_free_contiguous(memory, first, frames_for(memory, size));
}

void wp_memory_free(struct wp_memory *memory, uint64_t frame)
{
	const size_t index = index_of(memory, frame);

	if (index == memory->frames || memory->state[index] == WP_FRAME_UNTOUCHED) {
		accuse(memory, WP_FRAME_FREED_FOREIGN, frame);
		return;
	}
	if (memory->state[index] == WP_FRAME_FREED) {
		accuse(memory, WP_FRAME_FREED_TWICE, frame);
		return;
	}
	fill(memory, index, poison_for(memory, index));
	memory->state[index] = WP_FRAME_FREED;
	memory->free_stack[memory->free_count++] = (uint32_t)index;
	memory->in_use--;
}

/* Last frame first, so that the lowest is the next to be handed out. */
void wp_memory_free_contiguous(struct wp_memory *memory, uint64_t first, size_t count)
{
	if (count > memory->frames) {
		accuse(memory, WP_FRAME_FREED_FOREIGN, first);
		return;
	}
	while (count-- > 0)
		wp_memory_free(memory, first + ((uint64_t)count << memory->frame_shift));
}

void wp_memory_refuse(struct wp_memory *memory, size_t successes, bool once)
{
	memory->refuse_after = successes;
	memory->refuse_once = once;
}

void wp_memory_allow(struct wp_memory *memory)
{
	memory->refuse_after = SIZE_MAX;
	memory->refuse_once = false;
}

size_t wp_memory_available(const struct wp_memory *memory)
{
	return memory->free_count < memory->refuse_after ? memory->free_count
	                                                 : memory->refuse_after;
}
