/* SPDX-License-Identifier: MIT */
/* Intel SDM vol. 3C, 28.3.2: R 0, W 1, X 2, memory type 5:3, page 7, accessed 8, dirty 9. */
enum { CACHES_FAULTS = 0, CACHES_TABLES = 1, FLUSH_DROPS_TABLES = 1, PAIRS = 0, BREAKS = 0 };
#define CPU_RECORDS 0x300ull /* accessed, dirty */

/* by memory type; OTHER: write-through and write-protected, or reserved */
static const enum memory_type cpu_types[] = {DEVICE, UNCACHED, OTHER, OTHER, OTHER, OTHER, NORMAL};

static enum meaning cpu_entry(unsigned level, unsigned shift, uint64_t entry, uint64_t *to)
{
	const bool leaf = level == LEVELS - 1 || (shift <= 30 && (entry & 0x80) != 0);
	const unsigned type = entry >> 3 & 7;

	*to = entry & 0xffffffffff000;
	if ((entry & 7) == 0 || (entry & 3) == 2)
		return FAULT;
	if (!leaf) /* reserved: 6:3, and over all pages 7 */
		return (entry & 0x78) != 0 || (shift > 30 && (entry & 0x80) != 0) ? FAULT : TABLE;
	if ((*to & ((1ull << shift) - 1)) != 0 || type == 2 || type == 3 || type == 7)
		return FAULT;
	return LEAF;
}

static void cpu_leaf(unsigned shift, uint64_t leaf, uint64_t any, uint64_t every, struct walk *walk)
{
	(void)shift, (void)any;
	walk->allowed = KERNEL(every & 1, every >> 1 & 1, every >> 2 & 1);
	walk->type = cpu_types[leaf >> 3 & 7];
	walk->global = false;
}
