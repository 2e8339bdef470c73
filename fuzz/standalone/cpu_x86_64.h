/* SPDX-License-Identifier: MIT */
/* Intel SDM vol. 3, 4.5: P 0, R/W 1, U/S 2, PWT 3, PCD 4, PS 7, G 8, XD 63. */
enum { CACHES_FAULTS = 0, CACHES_TABLES = 1, FLUSH_DROPS_TABLES = 1, PAIRS = 0, BREAKS = 0 };
#define CPU_RECORDS 0x60ull /* accessed, dirty */

static enum meaning cpu_entry(unsigned level, unsigned shift, uint64_t entry, uint64_t *to)
{
	const bool leaf = level == LEVELS - 1 || (entry & 0x80) != 0;
	const uint64_t below = (1ull << shift) - 1;

	*to = entry & 0xffffffffff000;
	if ((entry & 1) == 0)
		return FAULT;
	if (!leaf)
		return TABLE;
	/* reserved: bits of the address below the size of the page, down to 13 */
	if (shift > 30 || (entry & below & 0xfffffffffe000) != 0)
		return FAULT;
	*to &= ~below;
	return LEAF;
}

static void cpu_leaf(unsigned shift, uint64_t leaf, uint64_t any, uint64_t every, struct walk *walk)
{
	const bool w = every >> 1 & 1, user = every >> 2 & 1, x = !(any >> 63);
	static const enum memory_type types[] = {NORMAL, OTHER, UNCACHED, DEVICE};

	(void)shift;
	walk->allowed = KERNEL(1, w, x && !user) | (user ? USER(1, w, x) : 0); /* SMEP */
	walk->type = types[leaf >> 3 & 3];
	walk->global = leaf >> 8 & 1;
}
