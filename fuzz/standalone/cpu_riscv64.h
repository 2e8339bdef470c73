/* SPDX-License-Identifier: MIT */
/* RISC-V Privileged ISA, "Sv39": V 0, R 1, W 2, X 3, U 4, G 5, A 6, D 7, PPN 53:10. */
enum { CACHES_FAULTS = 1, CACHES_TABLES = 1, FLUSH_DROPS_TABLES = 0, PAIRS = 0, BREAKS = 0 };
#define CPU_RECORDS 0xc0ull /* accessed, dirty */

static enum meaning cpu_entry(unsigned level, unsigned shift, uint64_t entry, uint64_t *to)
{
	*to = (entry >> 10 & 0xfffffffffff) << 12;
	if ((entry & 1) == 0)
		return FAULT;
	if ((entry & 0xe) == 0)
		return level < LEVELS - 1 ? TABLE : FAULT;
	/* W without R is reserved, and so is a page that isn't aligned to its size */
	return (entry & 6) == 4 || (*to & ((1ull << shift) - 1)) != 0 ? FAULT : LEAF;
}

static enum memory_type attributes_of(uint64_t leaf)
{
	static const enum memory_type svpbmt[] = {NORMAL, UNCACHED, DEVICE, OTHER};

	if (SVPBMT)
		return svpbmt[leaf >> 61 & 3];
	if (!XUANTIE)
		return NORMAL;
	if (leaf >> 63)
		return DEVICE;
	return leaf >> 62 & 1 ? NORMAL : UNCACHED;
}

static void cpu_leaf(unsigned shift, uint64_t leaf, uint64_t any, uint64_t every, struct walk *walk)
{
	const bool r = leaf >> 1 & 1, w = leaf >> 2 & 1, x = leaf >> 3 & 1, user = leaf >> 4 & 1;

	(void)shift, (void)every;
	walk->allowed = KERNEL(r, w, x && !user) | (user ? USER(r, w, x) : 0);
	walk->type = attributes_of(leaf);
	walk->global = any >> 5 & 1;
}
