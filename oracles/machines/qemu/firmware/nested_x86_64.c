/* SPDX-License-Identifier: MIT */
#include "guest_x86_64.h"
#include "nested_x86_64.h"
#include "x86_64.h"

#define P  ((uint64_t)1 << 0)
#define RW ((uint64_t)1 << 1)
#define US ((uint64_t)1 << 2)
#define A  ((uint64_t)1 << 5)
#define D  ((uint64_t)1 << 6)
#define XD ((uint64_t)1 << 63)

/* APM 15.25.5: to a nested walk every access is the user's, and one of an entry a write. */
#define TABLE  (P | RW | US | A)
#define MEMORY (P | RW | US | A | D | XD)
#define CODE   (P | US | A)

#define ADDRESS     0x000ffffffffff000u
#define ENTRIES     512u
#define FRAME       4096u
#define LEVELS      5u
#define MOST_TABLES 8u /* of the window's last level: 2 MiB each */
#define MOST_FRAMES (MOST_TABLES * ENTRIES)
#define INT3        0xcc

struct table {
	uint64_t entry[ENTRIES];
} __attribute__((aligned(4096)));

static struct table root;
static struct table of_stub[LEVELS - 1];
static struct table of_window[LEVELS - 2 + MOST_TABLES];
static struct table of_stand_in[LEVELS - 1];
static struct table stub_tables[WP_X86_64_STUB_TABLES];
static uint8_t breakpoints[FRAME] __attribute__((aligned(4096)));

static uint64_t window_pa, window_frames;

/* What was let in, and the entries that lead to the page that stands in. */
static uint64_t *let_in[MOST_FRAMES], *stand_in[LEVELS];
static unsigned let_in_count, stand_in_count;

static uint64_t address_of(const void *object)
{
	return (uint64_t)(uintptr_t)object;
}

static uint64_t *entry_of(struct table *table, uint64_t pa, unsigned level)
{
	return &table->entry[(pa >> (12 + 9 * (LEVELS - 1 - level))) % ENTRIES];
}

static struct table *table_at(uint64_t entry)
{
	return (struct table *)(uintptr_t)(entry & ADDRESS);
}

/*
 * The entry of `level` for `pa`. Tables that are missing on the way come from
 * `spare`, and where they were hung in is noted in `hung` unless that is NULL.
 */
static uint64_t *descend(uint64_t pa, unsigned level, struct table *spare, uint64_t **hung,
                         unsigned *hung_count)
{
	struct table *table = &root;

	for (unsigned i = 0; i < level; i++) {
		uint64_t *entry = entry_of(table, pa, i);

		if (*entry == 0) {
			*entry = address_of(spare++) | TABLE;
			if (hung != NULL)
				hung[(*hung_count)++] = entry;
		}
		table = table_at(*entry);
	}
	return entry_of(table, pa, level);
}

static void map_own(uint64_t pa, const void *memory, uint64_t flags)
{
	*descend(pa, LEVELS - 1, of_stub, NULL, NULL) = address_of(memory) | flags;
}

/* The guest's side: the lent root entry leads to one of these tables. */
static void map_in_guest(void)
{
	for (unsigned i = 0; i < WP_X86_64_STUB_PAGES; i++)
		stub_tables[0].entry[i] = (WP_X86_64_STUB_PA + i * FRAME) | P | RW | A | D;
	stub_tables[0].entry[GUEST_CODE] &= ~RW;
	stub_tables[0].entry[GUEST_USER] = WP_X86_64_STUB_PA | CODE;
	for (unsigned i = 1; i < WP_X86_64_STUB_TABLES; i++)
		stub_tables[i].entry[0] =
			(WP_X86_64_STUB_PA + (WP_X86_64_STUB_PAGES + i - 1) * FRAME) | TABLE;
}

uint64_t nested_start(void)
{
	uint64_t pa = WP_X86_64_STUB_PA;

	map_own(pa, guest_code, CODE);
	map_own(pa += FRAME, &guest_data, MEMORY);
	for (unsigned i = 0; i < GUEST_JOB_PAGES; i++)
		map_own(pa += FRAME, &guest_jobs[i * (FRAME / JOB_SIZE)], MEMORY);
	map_own(pa += FRAME, walker_mailbox(), MEMORY);
	for (unsigned i = 0; i < WP_X86_64_STUB_TABLES; i++)
		map_own(pa += FRAME, &stub_tables[i], MEMORY);
	map_in_guest();
	for (unsigned i = 0; i < FRAME; i++)
		breakpoints[i] = INT3;
	return address_of(&root);
}

void nested_set_window(uint64_t window, uint64_t frames)
{
	struct table *spare = &of_window[LEVELS - 2];

	if (window_frames != 0) /* it is where it was */
		return;
	window_pa = window;
	window_frames = frames < MOST_FRAMES ? frames : MOST_FRAMES;
	for (unsigned i = 0; i < MOST_TABLES; i++)
		*descend(window + i * ENTRIES * FRAME, LEVELS - 2, of_window, NULL,
		         NULL) = address_of(spare++) | TABLE;
}

void nested_let_none_in(void)
{
	while (let_in_count > 0)
		*let_in[--let_in_count] = 0;
}

bool nested_let_in(uint64_t pa)
{
	uint64_t *entry;

	if (pa < window_pa || (pa - window_pa) / FRAME >= window_frames)
		return false;
	entry = descend(pa, LEVELS - 1, NULL, NULL, NULL);
	if (*entry != 0)
		return false;
	/* one may be noted again: another page has stood in for it since */
	if (let_in_count == MOST_FRAMES)
		nested_let_none_in();
	*entry = (pa & ADDRESS) | MEMORY;
	let_in[let_in_count++] = entry;
	return true;
}

void nested_stand_in(uint64_t pa)
{
	uint64_t *entry = descend(pa, LEVELS - 1, of_stand_in, stand_in, &stand_in_count);

	*entry = address_of(breakpoints) | CODE;
	stand_in[stand_in_count++] = entry;
}

bool nested_remove_stand_in(void)
{
	const bool was = stand_in_count != 0;

	while (stand_in_count > 0)
		*stand_in[--stand_in_count] = 0;
	return was;
}
