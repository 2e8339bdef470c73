/* SPDX-License-Identifier: MIT */
static struct walk cpu_walk(uint64_t root, uint64_t va)
{
	struct walk walk = {0};
	uint64_t table = root, any = 0, every = -1ull;
	unsigned shift = 12 + 9 * (LEVELS - 1);
	enum meaning meaning = TABLE;

	if (!is_canonical(va))
		return walk;
	for (unsigned level = 0; level < LEVELS && meaning == TABLE; level++, shift -= 9) {
		uint64_t *entries = frame_at(table), to = 0;

		walk.lost = entries == NULL;
		if (walk.lost)
			return walk;
		walk.tables[walk.depth] = table;
		entries += va >> shift & 511;
		walk.entries[walk.depth++] = entries;
		any |= *entries;
		every &= *entries;
		meaning = cpu_entry(level, shift, *entries, &to);
		if (meaning == LEAF) {
			walk.pa = to | (va & ((1ull << shift) - 1));
			walk.size = 1ull << shift;
			cpu_leaf(shift, *entries, any, every, &walk);
		}
		table = to;
	}
	return walk;
}

/* What lies on the way must be in use, and the end as the mapping says. */
static void expect_cpu(const struct pt_table *table, uint64_t va, unsigned asked, unsigned allowed,
                       uint64_t pa, uint64_t size, enum memory_type type, bool user)
{
	static const char *const kinds[] = {"kernel read", "kernel write", "kernel execute",
	                                    "user read",   "user write",   "user execute"};
	const struct walk walk = cpu_walk(table->root.value, va);

	if (walk.lost)
		fail("the CPU leaves memory on the way to %#" PRIx64, va);
	for (unsigned i = 0; i < walk.depth; i++) {
		if (state[(walk.tables[i] - BASE) / 4096] != USED)
			fail("the CPU walks through the freed table at %#" PRIx64, walk.tables[i]);
	}
	for (unsigned i = 0; i < 6; i++) {
		if (((walk.allowed ^ allowed) & asked) >> i & 1)
			fail("the CPU %s a %s at %#" PRIx64 ", it must not",
			     walk.allowed >> i & 1 ? "allows" : "denies", kinds[i], va);
	}
	if ((walk.allowed & asked) == 0)
		return;
	if (walk.pa != pa || walk.size != size)
		fail("the CPU translates %#" PRIx64 " to %#" PRIx64 ", a leaf of %#" PRIx64
		     "; it is mapped to %#" PRIx64 ", %#" PRIx64,
		     va, walk.pa, walk.size, pa, size);
	if (walk.type != type)
		fail("the CPU finds memory type %d at %#" PRIx64 ", it is mapped as %d", walk.type,
		     va, type);
	if (walk.global && user)
		fail("the CPU may keep %#" PRIx64 ", which is a USER mapping, as global", va);
}
