/* SPDX-License-Identifier: MIT */
/* Tables as arrays of entries: where they lie, how they are read, written, handed out. */
#ifndef PT_ENTRIES_H
#define PT_ENTRIES_H

/* Hot loops over levels are laid out level by level, so that shifts are constants. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 8")
#endif

static inline uint64_t arch_span(unsigned level)
{
	return 1ull << arch_levels[level].shift;
}

static inline size_t entry_count(unsigned level)
{
	return (size_t)1 << arch_levels[level].bits;
}

static inline size_t index_of(uint64_t vaddr, unsigned level)
{
	return (size_t)(vaddr >> arch_levels[level].shift) & (entry_count(level) - 1);
}

static inline size_t table_bytes(unsigned level)
{
	return entry_count(level) * sizeof(arch_entry);
}

static inline uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t granule(void)
{
	return arch_span(ARCH_LAST_LEVEL);
}

/* The direct map, held in registers on the way down. */
struct window {
	const struct pt_platform *platform;
	uint64_t first, size;
	char *base;
};

static inline struct window window_of(const struct pt_platform *platform)
{
	return (struct window){platform, platform->direct_first.value, platform->direct_size,
	                       platform->direct_base};
}

/* For frames that no table is in yet. NULL: not memory. */
static inline void *frame_in(const struct window *window, uint64_t paddr)
{
	const uint64_t offset = paddr - window->first;

	if (__builtin_expect(offset < window->size, 1))
		return window->base + offset;
	if (!window->platform->phys_to_virt)
		return NULL;
	return window->platform->phys_to_virt(window->platform->context, pt_pa(paddr));
}

/* A table is const to all but the few functions below that write one (L4). NULL: not memory. */
static inline const arch_entry *table_in(const struct window *window, uint64_t paddr)
{
	return frame_in(window, paddr);
}

/* As frame_in(). */
static inline void *frame_at(const struct pt_platform *platform, uint64_t paddr)
{
	const struct window window = window_of(platform);

	return frame_in(&window, paddr);
}

static inline const arch_entry *table_at(const struct pt_platform *platform, uint64_t paddr)
{
	return frame_at(platform, paddr);
}

/* Only to store into, here and now: -Wcast-qual keeps a const from going anywhere else. */
static inline arch_entry *stored_in(const arch_entry *slot)
{
	return (arch_entry *)(uintptr_t)slot;
}

/* The CPU may write accessed and dirty bits at any time. */
static inline arch_entry entry_load(const arch_entry *slot)
{
	return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static inline void watch_storing(const struct pt_platform *platform, const arch_entry *slot)
{
#ifdef PT_WATCH_STORES
	if (platform->storing)
		platform->storing(platform->context, stored_in(slot));
#else
	(void)platform;
	(void)slot;
#endif
}

static inline void watch_stored(const struct pt_platform *platform, const arch_entry *slot,
                                arch_entry before, arch_entry after)
{
#ifdef PT_WATCH_STORES
	/* unreached: programs have a platform that is told of stores; see test_lib_harvest.c */
	if (platform->stored)
		platform->stored(platform->context, slot, before, after);
#else
	(void)platform;
	(void)slot;
	(void)before;
	(void)after;
#endif
}

/*
 * This and the two below are where tables are written: release, so that a table is
 * whole before its link.
 */
static inline void entry_store(const struct pt_platform *platform, const arch_entry *slot,
                               arch_entry entry)
{
	arch_entry before = 0;

	watch_storing(platform, slot);
#ifdef PT_WATCH_STORES
	before = entry_load(slot);
#endif
	__atomic_store_n(stored_in(slot), entry, __ATOMIC_RELEASE);
	watch_stored(platform, slot, before, entry);
}

/* Stores `after` if the slot still holds `*before`; else false, and `*before` is what it holds. */
static inline bool entry_swap(const struct pt_platform *platform, const arch_entry *slot,
                              arch_entry *before, arch_entry after)
{
	if (!__atomic_compare_exchange_n(stored_in(slot), before, after, false, __ATOMIC_RELEASE,
	                                 __ATOMIC_RELAXED))
		return false;
	watch_stored(platform, slot, *before, after);
	return true;
}

/* Clears `bits`; returns what the entry was. */
static inline arch_entry entry_clear(const struct pt_platform *platform, const arch_entry *slot,
                                     arch_entry bits)
{
	arch_entry before;

	watch_storing(platform, slot);
	before = __atomic_fetch_and(stored_in(slot), ~bits, __ATOMIC_RELEASE);
	watch_stored(platform, slot, before, before & ~bits);
	return before;
}

/* Where the CPU records accesses and writes in a leaf, if it does. */
static inline arch_entry use_bits(void)
{
	return ARCH_ACCESSED | ARCH_DIRTY;
}

/* Whether the CPU may yet change `leaf` by itself; if not, a plain store loses nothing. */
static inline bool leaf_may_gain(arch_entry leaf)
{
	return ARCH_USES != 0 && arch_is_valid(leaf) && (leaf & use_bits()) != use_bits();
}

/* `leaf` as used as `before` was. */
static inline arch_entry leaf_used_as(arch_entry leaf, arch_entry before)
{
	return (leaf & ~use_bits()) | (before & use_bits());
}

static inline bool same_leaf(arch_entry a, arch_entry b)
{
	return ((a ^ b) & ~use_bits()) == 0;
}

/*
 * Stores `after` over a leaf that was last seen as `before`, and returns what it was
 * at that moment, with all that the CPU recorded until then; with `keeps`, that
 * stays recorded. After it the CPU finds, and records in, what is stored now.
 */
static inline arch_entry leaf_replace(const struct pt_platform *platform, const arch_entry *slot,
                                      arch_entry before, arch_entry after, bool keeps)
{
	if (!leaf_may_gain(before)) {
		entry_store(platform, slot, keeps ? leaf_used_as(after, before) : after);
		return before;
	}
	watch_storing(platform, slot);
	while (!entry_swap(platform, slot, &before, keeps ? leaf_used_as(after, before) : after))
		continue;
	return before;
}

/* What an empty slot holds; `hole` is that of the table which owns the slot. */
static inline arch_entry empty_entry(pt_paddr hole, unsigned level)
{
	return ARCH_HAS_HOLE_FRAME && level < ARCH_LAST_LEVEL ? arch_table(hole.value) : 0;
}

/*
 * LoongArch: nothing but an empty slot leads to the hole, though the CPU ignores bits
 * above the address (4.2.5). A store there would change every empty slot.
 */
static inline bool entry_is_table(arch_entry entry, unsigned level, pt_paddr hole)
{
	if (ARCH_HAS_HOLE_FRAME && arch_table_paddr(entry) == hole.value)
		return false;
	return arch_is_table(entry, level);
}

/* Reads `entry` as the CPU would. */
static inline enum pt_entry_kind entry_kind(arch_entry entry, unsigned level, pt_paddr hole)
{
	if (entry == empty_entry(hole, level))
		return PT_ENTRY_EMPTY;
	if (entry_is_table(entry, level, hole))
		return PT_ENTRY_TABLE;
	return arch_is_leaf(entry, level) ? PT_ENTRY_LEAF : PT_ENTRY_MALFORMED;
}

/* Whether a table entry leaves all rights to what lies below it. */
static inline bool table_is_open(arch_entry entry)
{
	return arch_rights_are_whole(arch_rights_below(~(arch_rights)0, entry));
}

/* Eight entries, a cache line, for one branch. */
static inline bool line_is_empty(const arch_entry *entries, arch_entry empty)
{
	arch_entry differs = 0;

	for (size_t i = 0; i < 8; i++)
		differs |= entry_load(&entries[i]) ^ empty;
	return differs == 0;
}

static inline bool table_is_empty(const arch_entry *entries, unsigned level, pt_paddr hole)
{
	const arch_entry empty = empty_entry(hole, level);

	for (size_t i = 0; i < entry_count(level); i += 8) {
		if (!line_is_empty(&entries[i], empty))
			return false;
	}
	return true;
}

/* The same, asking first where the next entry most likely is: beside `index`. */
static inline bool table_is_empty_beside(const arch_entry *entries, unsigned level, size_t index,
                                         pt_paddr hole)
{
	const arch_entry empty = empty_entry(hole, level);
	const size_t mask = entry_count(level) - 1;

	if (entry_load(&entries[(index + 1) & mask]) != empty ||
	    entry_load(&entries[(index - 1) & mask]) != empty)
		return false;
	return table_is_empty(entries, level, hole);
}

/* The first slot from `index` on that isn't empty; entry_count(level): there is none. */
static inline size_t next_filled(const arch_entry *entries, unsigned level, size_t index,
                                 pt_paddr hole)
{
	const arch_entry empty = empty_entry(hole, level);

	while (index < entry_count(level)) {
		if (index % 8 == 0 && line_is_empty(&entries[index], empty))
			index += 8;
		else if (entry_load(&entries[index]) == empty)
			index++;
		else
			break;
	}
	return index;
}

/* Frames taken from the platform before anything is changed, linked through their first 8 bytes. */
struct reserve {
	const struct pt_platform *platform;
	uint64_t first; /* 0: none */
};

/* Wider than an entry may be; NULL: not memory. */
static inline uint64_t *reserve_link(const struct reserve *reserve, uint64_t frame)
{
	return frame_at(reserve->platform, frame);
}

static void reserve_release(struct reserve *reserve)
{
	while (reserve->first != 0) {
		const uint64_t frame = reserve->first;

		reserve->first = *reserve_link(reserve, frame);
		reserve->platform->free_frame(reserve->platform->context, pt_pa(frame));
	}
}

/* False: the platform refused one of them, or can't reach it; none is kept. */
static bool reserve_fill(struct reserve *reserve, size_t count)
{
	const struct pt_platform *platform = reserve->platform;

	for (size_t i = 0; i < count; i++) {
		pt_paddr frame;
		uint64_t *link;

		if (!platform->alloc_frame(platform->context, &frame)) {
			reserve_release(reserve);
			return false;
		}
		link = reserve_link(reserve, frame.value);
		/* unreached: programs' frames can be reached; see test_lib_platform.c */
		if (!link) {
			platform->free_frame(platform->context, frame);
			reserve_release(reserve);
			return false;
		}
		*link = reserve->first;
		reserve->first = frame.value;
	}
	return true;
}

static void table_clear(arch_entry *entries, unsigned level, pt_paddr hole)
{
	const arch_entry empty = empty_entry(hole, level);

	for (size_t i = 0; i < entry_count(level); i++)
		entries[i] = empty;
}

/* An empty table, not linked anywhere yet. */
static const arch_entry *reserve_take(struct reserve *reserve, unsigned level, pt_paddr hole,
                                      uint64_t *frame)
{
	arch_entry *entries = frame_at(reserve->platform, reserve->first);

	*frame = reserve->first;
	reserve->first = *reserve_link(reserve, *frame);
	table_clear(entries, level, hole);
	return entries;
}

#endif
