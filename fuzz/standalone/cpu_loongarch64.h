/* SPDX-License-Identifier: MIT */
/*
 * LoongArch Reference Manual vol. 1, 5.4: V 0, D 1, PLV 3:2, MAT 5:4, G 6 (12 in a huge page),
 * NR 61, NX 62, RPLV 63. A directory has no presence bit: just H (6), for a huge page.
 */
enum { CACHES_FAULTS = 1, CACHES_TABLES = 0, FLUSH_DROPS_TABLES = 0, PAIRS = 1, BREAKS = 0 };
#define CPU_RECORDS 0ull

static enum meaning cpu_entry(unsigned level, unsigned shift, uint64_t entry, uint64_t *to)
{
	const bool last = level == LEVELS - 1;

	*to = entry & 0xfffffffff000;
	if (!last && (entry >> 6 & 1) == 0)
		return TABLE;
	*to &= ~((1ull << shift) - 1);
	return level > 0 && (entry & 1) != 0 ? LEAF : FAULT;
}

static bool may(uint64_t leaf, unsigned privilege)
{
	const unsigned plv = leaf >> 2 & 3;

	return leaf >> 63 ? privilege == plv : privilege <= plv;
}

static void cpu_leaf(unsigned shift, uint64_t leaf, uint64_t any, uint64_t every, struct walk *walk)
{
	const bool r = !(leaf >> 61 & 1), w = leaf >> 1 & 1, x = !(leaf >> 62 & 1);
	static const enum memory_type types[] = {DEVICE, NORMAL, UNCACHED, OTHER};

	(void)any, (void)every;
	walk->allowed = (may(leaf, 0) ? KERNEL(r, w, x) : 0) | (may(leaf, 3) ? USER(r, w, x) : 0);
	walk->type = types[leaf >> 4 & 3];
	walk->global = leaf >> (shift == 12 ? 6 : 12) & 1;
}
