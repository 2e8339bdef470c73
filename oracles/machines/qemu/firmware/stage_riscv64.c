/* SPDX-License-Identifier: MIT */
/* "RV" is the Privileged ISA, chapter "Hypervisor" Extension. */
#include "stage_riscv64.h"

#define HGATP_SV57X4 ((uint64_t)10 << 60)

#define V ((uint64_t)1 << 0)
#define R ((uint64_t)1 << 1)
#define W ((uint64_t)1 << 2)
#define U ((uint64_t)1 << 4) /* RV "Guest Physical Address Translation": always needed */
#define A ((uint64_t)1 << 6)
#define D ((uint64_t)1 << 7)

#define ENTRIES     512u
#define MOST_TABLES 8u /* of the last level: 2 MiB of the window each */
#define MOST_FRAMES (MOST_TABLES * ENTRIES)

/* Sv57x4, for all the 56 bits of a physical address: the root is four frames. */
struct stage {
	uint64_t root[4 * ENTRIES] __attribute__((aligned(16384)));
	uint64_t middle[3][ENTRIES] __attribute__((aligned(4096)));
	uint64_t frames[MOST_FRAMES] __attribute__((aligned(4096)));
};

static struct stage by_demand, whole;
static const struct stage *in_use;

/* The frames that are let in by demand. */
static uint32_t let_in[MOST_FRAMES];
static uint32_t let_in_count;
static bool writable; /* one of them, at least */

static uint64_t window, window_frames;

static void fence_guest(void)
{
	__asm__ volatile("hfence.gvma zero, zero" ::: "memory");
}

void wp_fence_all(void)
{
	fence_guest();
	__asm__ volatile("hfence.vvma zero, zero" ::: "memory");
}

static uint64_t entry_to(const void *table)
{
	return (uint64_t)table >> 2 | V;
}

static uint64_t frame_entry(uint64_t index, uint64_t rights)
{
	return ((window >> 12) + index) << 10 | V | R | U | A | D | rights;
}

/* The window starts where a GiB does, and ends in it. */
static void build(struct stage *stage)
{
	stage->root[0] = entry_to(stage->middle[0]);
	stage->middle[0][0] = entry_to(stage->middle[1]);
	stage->middle[1][window >> 30] = entry_to(stage->middle[2]);
	for (uint64_t i = 0; i < MOST_TABLES; i++)
		stage->middle[2][i] = entry_to(&stage->frames[i * ENTRIES]);
}

void wp_stage_set_window(uint64_t base, uint64_t frames)
{
	if (window_frames != 0)
		return;
	if (frames > MOST_FRAMES)
		wp_riscv64_panic(0, 0, base, frames);
	window = base;
	window_frames = frames;
	for (uint64_t i = 0; i < frames; i++)
		whole.frames[i] = frame_entry(i, W);
	build(&by_demand);
	build(&whole);
}

/* Both have the VMID 0, and where both map something, it is the same. */
void wp_stage_use(bool the_whole)
{
	const struct stage *stage = the_whole ? &whole : &by_demand;

	if (in_use == stage)
		return;
	in_use = stage;
	__asm__ volatile("csrw hgatp, %0" ::"r"(HGATP_SV57X4 | (uint64_t)stage >> 12));
	fence_guest();
}

void wp_stage_replace(uint64_t hgatp)
{
	in_use = 0;
	__asm__ volatile("csrw hgatp, %0" ::"r"(hgatp));
}

bool wp_stage_is_whole(void)
{
	return in_use == &whole;
}

bool wp_stage_may_write(void)
{
	return in_use == &whole || writable;
}

bool wp_stage_let_in(uint64_t pa, bool update)
{
	const uint64_t index = (pa - window) >> 12;
	const uint64_t entry = frame_entry(index, update ? W : 0);

	if (in_use != &by_demand || pa < window || index >= window_frames ||
	    (by_demand.frames[index] & entry) == entry)
		return false;
	if (by_demand.frames[index] == 0)
		let_in[let_in_count++] = (uint32_t)index;
	by_demand.frames[index] = entry;
	writable |= update;
	fence_guest();
	return true;
}

void wp_stage_clear(void)
{
	while (let_in_count > 0)
		by_demand.frames[let_in[--let_in_count]] = 0;
	writable = false;
	wp_fence_all();
}
