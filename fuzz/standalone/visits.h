/* SPDX-License-Identifier: MIT */
/* ---- walk() visits what is there, in order ---- */

struct visit {
	unsigned level;
	uint64_t va, pa; /* pa: of a leaf */
	bool leaf;
};

struct tour {
	const struct visit *right;
	size_t count, seen;
};

static enum pt_walk_next visit(void *context, const struct pt_visit *now)
{
	struct tour *tour = context;
	const struct visit *right = &tour->right[tour->seen];

	if (tour->seen == tour->count)
		fail("walk() visits level %u at %#" PRIx64 ", where nothing is", now->level,
		     now->vaddr.value);
	if (now->level != right->level || now->vaddr.value != right->va ||
	    (now->kind == PT_ENTRY_LEAF) != right->leaf ||
	    (right->leaf && now->mapping.paddr.value != right->pa))
		fail("walk() visits level %u at %#" PRIx64 ", leaf to %#" PRIx64
		     "; it must visit level %u at %#" PRIx64 ", to %#" PRIx64,
		     now->level, now->vaddr.value, now->mapping.paddr.value, right->level,
		     right->va, right->pa);
	tour->seen++;
	return PT_WALK_ON;
}

static void expect_visits(const struct pt_table *table, size_t limit, const struct visit *right,
                          size_t count)
{
	struct tour tour = {right, count, 0};

	pt_walk(table, limit, visit, NULL, &tour);
	if (tour.seen != count)
		fail("walk() makes %zu visits, it must make %zu", tour.seen, count);
}
