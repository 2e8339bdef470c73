/* SPDX-License-Identifier: MIT */
/* ---- where each page of a region leads ---- */

struct pages {
	uint64_t va, pa, count;
	enum { LINEAR, REVERSED, SWAPPED, SAME, BROKEN, UNALIGNED } how;
};

static pt_paddr page_of(void *context, pt_vaddr vaddr)
{
	const struct pages *pages = context;
	const uint64_t i = (vaddr.value - pages->va) / 4096;
	uint64_t from = i, extra = 0;

	if (pages->how == REVERSED)
		from = pages->count - 1 - i;
	if (pages->how == SWAPPED && (i ^ 1) < pages->count)
		from = i ^ 1;
	if (pages->how == SAME)
		from = 0;
	if (pages->how == BROKEN && i == pages->count / 2)
		from = i + 1;
	if (pages->how == UNALIGNED && i == pages->count - 1)
		extra = 8;
	return pt_pa(pages->pa + from * 4096 + extra);
}
