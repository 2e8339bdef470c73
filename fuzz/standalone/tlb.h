/* SPDX-License-Identifier: MIT */
/* ---- its TLB: it forgets nothing that no flush reaches ---- */

static struct remembered {
	bool used, valid; /* valid: the translation, or that there was none */
	uint64_t root, va, first, last;
	struct walk walk;
	unsigned depth; /* of the tables that it remembers on the way */
	uint64_t tables[5];
} tlb[8];

static void cpu_uses(uint64_t root, uint64_t va)
{
	struct remembered *slot = tlb;
	struct walk walk;
	uint64_t span;

	while (slot < tlb + 7 && slot->used && (slot->root != root || slot->va != va))
		slot++;
	walk = cpu_walk(root, va);
	if (walk.lost || (slot->used && slot->valid))
		return; /* what it remembers it uses */
	if (!slot->used || slot->depth == 0) {
		slot->depth = CACHES_TABLES ? walk.depth : 0;
		memcpy(slot->tables, walk.tables, sizeof slot->tables);
	}
	slot->valid = walk.depth > 0 && (walk.allowed != 0 || CACHES_FAULTS);
	slot->used = true;
	slot->root = root;
	slot->va = va;
	span = walk.allowed != 0 ? walk.size : 4096;
	if (walk.allowed == 0 && !PAIRS && CACHES_FAULTS)
		span = 4096ull << 9 * (LEVELS - (walk.depth ? walk.depth : LEVELS));
	if (PAIRS && span == 4096)
		span *= 2;
	slot->first = va & ~(span - 1);
	slot->last = va | (span - 1);
	slot->walk = walk;
}

/* It looks again at once: a flush that comes before its store is as good as none. */
static void on_flush(const uint64_t *va)
{
	for (struct remembered *slot = tlb; slot < tlb + 8; slot++) {
		const bool hit = va == NULL || (*va >= slot->first && *va <= slot->last);
		const struct walk *old = &slot->walk;
		uint64_t to;
		bool tables_hit = va == NULL || FLUSH_DROPS_TABLES;

		if (!slot->used || (!hit && !tables_hit))
			continue;
		/* RISC-V: with an address, only leaf entries are looked at again */
		if (va != NULL && !FLUSH_DROPS_TABLES && CACHES_TABLES && slot->valid &&
		    old->allowed == 0 &&
		    cpu_entry(old->depth - 1, 12 + 9 * (LEVELS - old->depth),
		              *old->entries[old->depth - 1], &to) == TABLE)
			continue;
		if (BREAKS && va != NULL) /* AArch64: the tables on the way to that address */
			tables_hit = hit;
		slot->valid = slot->valid && !hit;
		slot->depth = tables_hit ? 0 : slot->depth;
		cpu_uses(slot->root, slot->va);
	}
}

static void cpu_forgets(void)
{
	for (struct remembered *slot = tlb; slot < tlb + 8; slot++)
		slot->used = false;
}

static void on_free(uint64_t frame)
{
	for (struct remembered *slot = tlb; slot < tlb + 8; slot++) {
		const struct walk now = slot->used ? cpu_walk(slot->root, slot->va)
		                                   : (struct walk){0};

		for (unsigned i = 1; i < slot->depth && slot->used; i++) {
			if (slot->tables[i] == frame)
				fail("the table at %#" PRIx64 " was given back, and no flush since "
				     "the CPU walked through it to %#" PRIx64 " reached that",
				     frame, slot->va);
		}
		for (unsigned i = 1; i < now.depth; i++) {
			if (now.tables[i] == frame)
				fail("the table at %#" PRIx64
				     " was given back while an entry leads to it",
				     frame);
		}
	}
}

static void expect_current(const struct pt_table *table, uint64_t va)
{
	const struct walk now = cpu_walk(table->root.value, va);

	for (struct remembered *slot = tlb; slot < tlb + 8; slot++) {
		const struct walk *old = &slot->walk;
		bool stale;

		if (!slot->used || slot->root != table->root.value || slot->va != va)
			continue;
		for (unsigned i = 1; i < slot->depth; i++) {
			if (i >= now.depth || now.tables[i] != slot->tables[i])
				fail("no flush reached what leads to %#" PRIx64
				     ": a CPU still takes the table at %#" PRIx64,
				     va, slot->tables[i]);
		}
		stale = (old->allowed & ~now.allowed) != 0 ||
		        (CACHES_FAULTS && old->allowed != now.allowed) ||
		        (old->allowed != 0 && (old->pa != now.pa || old->type != now.type));
		if (slot->valid && stale)
			fail("no flush covered %#" PRIx64
			     ": a CPU that used it before still goes to %#" PRIx64
			     ", the tables say %#" PRIx64,
			     va, old->pa, now.pa);
	}
}
