/* SPDX-License-Identifier: MIT */
/* ---- it records in a leaf that it used it: before a call, and at the worst moment in it ---- */

static struct {
	bool used, accessed, dirty;
	bool stored; /* over the leaf, in this call */
	uint64_t root, va;
	unsigned round; /* done before a harvest, harvested, done before the call, done in it */
} use;

enum { ROUNDS = 4 * 3 * 3 * 3 };

static void start_again(void)
{
	memset(state, 0, sizeof state);
	in_use = 0;
	use.used = false;
}

/* how: 0 not at all, 1 reads, 2 writes */
static void record(unsigned how)
{
	const struct walk walk = cpu_walk(use.root, use.va);
	const bool writes = how == 2 && (walk.allowed & (KERNEL(0, 1, 0) | USER(0, 1, 0))) != 0;

	if (!use.used || how == 0 || walk.allowed == 0)
		return;
	*walk.entries[walk.depth - 1] |= writes ? CPU_RECORDS : CPU_RECORDS & -CPU_RECORDS;
	use.accessed = true;
	use.dirty |= writes;
}

/* `said` by a call, or by query() afterwards. */
static void expect_told(const struct pt_mapping *said)
{
	if (use.used && (said->accessed != use.accessed || said->dirty != use.dirty))
		fail("the leaf at %#" PRIx64 " is said to be%s%s, it is%s%s", use.va,
		     said->accessed ? " accessed" : " not accessed", said->dirty ? ", dirty" : "",
		     use.accessed ? " accessed" : " not accessed", use.dirty ? ", dirty" : "");
}

/* Of the leaves that a call removed or harvested. */
static void told(void *context, const struct pt_mapping *leaf)
{
	(void)context;
	if (use.va - leaf->vaddr.value < leaf->size)
		expect_told(leaf);
}

static void harvest(struct pt_table *table, pt_uses uses)
{
	const bool any = (use.accessed && (uses & PT_ACCESSED)) || (use.dirty && (uses & PT_DIRTY));
	const bool usable = cpu_walk(use.root, use.va).allowed != 0;
	const unsigned before = flushes;

	if (!use.used || uses == 0)
		return;
	expect(0, "harvest()",
	       pt_harvest(table, pt_va(use.va & ~4095ull), 4096, uses, told, NULL, NULL), PT_OK);
	if (any && usable && flushes == before)
		fail("harvest() clears what is recorded at %#" PRIx64
		     " and flushes nothing: a CPU writes there without recording it",
		     use.va);
	use.accessed &= !(uses & PT_ACCESSED);
	use.dirty &= !(uses & PT_DIRTY);
}

static void expect_uses(const struct pt_table *table)
{
	struct pt_mapping now = {0};

	use.used = use.used && pt_query(table, pt_va(use.va), &now) == PT_OK;
	expect_told(&now);
}

/* Before a call. */
static void cpu_records(struct pt_table *table, uint64_t va, bool may_harvest)
{
	struct pt_mapping now = {0};

	use.used = pt_query(table, pt_va(va), &now) == PT_OK;
	use.accessed = now.accessed;
	use.dirty = now.dirty;
	use.stored = false;
	use.root = table->root.value;
	use.va = va;
	record(use.round / 36);
	if (may_harvest)
		harvest(table, (pt_uses)(use.round / 9 % 4));
	expect_uses(table);
	record(use.round % 3);
}

/* In a call: it has looked at the entry, and is about to store over it. */
static void before_store(void *entry)
{
	const struct walk walk = use.used ? cpu_walk(use.root, use.va) : (struct walk){0};

	if (use.stored || walk.depth == 0 || walk.entries[walk.depth - 1] != entry)
		return;
	record(use.round / 3 % 3);
	use.stored = true;
}

/* A new leaf: RISC-V starts it as used. */
static void expect_new(const struct pt_table *table, uint64_t va)
{
	use.used = true;
	use.va = va;
	use.accessed = use.dirty = SVADE;
	expect_uses(table);
}
