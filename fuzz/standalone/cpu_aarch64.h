/* SPDX-License-Identifier: MIT */
/* Arm ARM D8: valid 0, table or page 1, AttrIndx 4:2, AP 7:6, AF 10, nG 11, PXN 53, UXN 54. */
enum { CACHES_FAULTS = 0, CACHES_TABLES = 1, FLUSH_DROPS_TABLES = 1, PAIRS = 0, BREAKS = 1 };
#define CPU_RECORDS 0ull

static enum meaning cpu_entry(unsigned level, unsigned shift, uint64_t entry, uint64_t *to)
{
	const bool last = level == LEVELS - 1, both = (entry & 3) == 3;

	*to = entry & 0xfffffffff000;
	if ((entry & 1) == 0 || (!both && (last || level == 0)))
		return FAULT;
	if (both != last)
		return TABLE;
	*to &= ~((1ull << shift) - 1);
	return entry >> 10 & 1 ? LEAF : FAULT;
}

static void cpu_leaf(unsigned shift, uint64_t leaf, uint64_t any, uint64_t every, struct walk *walk)
{
	const bool w = !(leaf >> 7 & 1), user = leaf >> 6 & 1 && !EL2;
	const bool pxn = leaf >> 53 & 1, uxn = leaf >> 54 & 1;
	static const enum memory_type types[] = {DEVICE, NORMAL, UNCACHED, OTHER,
	                                         OTHER,  OTHER,  OTHER,    OTHER};

	(void)shift, (void)any, (void)every;
	walk->type = types[leaf >> 2 & 7];
	if (EL2) {
		walk->allowed = KERNEL(1, w, !uxn);
		return;
	}
	/* what EL0 may write EL1 never executes */
	walk->allowed = KERNEL(1, w, !pxn && !(user && w)) | USER(user, user && w, !uxn);
	walk->global = !(leaf >> 11 & 1);
}
