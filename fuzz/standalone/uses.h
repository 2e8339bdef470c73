/* SPDX-License-Identifier: MIT */
/* ---- it records in a leaf that it used it: before a call, and at the worst moment in it ---- */

static struct {
	bool used, accessed, dirty;
	bool stored;    /* over the leaf, in this call */
	bool told;      /* of the leaf, by this harvest */
	bool flushed;   /* since the store */
	bool unflushed; /* a harvest in a batch has cleared the leaf */
	uint64_t root, va, size;
	unsigned round; /* done before the call, done in it */
} use;

enum { ROUNDS = 3 * 3 };

static void start_again(void)
{
	memset(state, 0, sizeof state);
	in_use = 0;
	use.used = use.unflushed = false;
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
	if (use.va - leaf->vaddr.value >= leaf->size)
		return;
	expect_told(leaf);
	use.told = true;
}

static void expect_uses(const struct pt_table *table)
{
	struct pt_mapping now = {0};

	use.used = use.used && pt_query(table, pt_va(use.va), &now) == PT_OK;
	expect_told(&now);
}

/* After a harvest of the leaf: nothing is told in vain, all that was cleared is, and it is flushed. */
static void expect_harvested(const struct pt_table *table, pt_uses uses, bool in_batch)
{
	const bool any = (use.accessed && (uses & PT_ACCESSED)) || (use.dirty && (uses & PT_DIRTY));
	const bool usable = cpu_walk(use.root, use.va).allowed != 0;

	if (!use.used)
		return;
	if (any != use.told)
		fail("harvest() %s of the leaf at %#" PRIx64,
		     any ? "doesn't tell" : "tells in vain", use.va);
	use.unflushed |= any && usable && !use.flushed;
	if (use.unflushed && !in_batch)
		fail("harvest() clears what is recorded at %#" PRIx64
		     " and flushes nothing: a CPU writes there without recording it",
		     use.va);
	use.accessed &= !(uses & PT_ACCESSED);
	use.dirty &= !(uses & PT_DIRTY);
	expect_uses(table);
}

/* The batch has ended. */
static void expect_flushed(void)
{
	if (use.unflushed)
		fail("what harvest() cleared at %#" PRIx64 " is never flushed", use.va);
}

/* Before a call. */
static void cpu_records(struct pt_table *table, uint64_t va)
{
	struct pt_mapping now = {0};

	use.used = pt_query(table, pt_va(va), &now) == PT_OK;
	use.accessed = now.accessed;
	use.dirty = now.dirty;
	use.stored = use.told = use.flushed = false;
	use.root = table->root.value;
	use.va = va;
	use.size = now.size;
	record(use.round % 3);
	expect_uses(table);
}

/* In a call: it has looked at the entry, and is about to store over it. */
static void before_store(void *entry)
{
	const struct walk walk = use.used ? cpu_walk(use.root, use.va) : (struct walk){0};

	if (walk.depth == 0 || walk.entries[walk.depth - 1] != entry)
		return;
	use.flushed = false;
	if (!use.stored)
		record(use.round / 3);
	use.stored = true;
}

static void on_flush(const uint64_t *va)
{
	if (va != NULL && (*va ^ use.va) >= use.size)
		return;
	use.flushed = true;
	use.unflushed = false;
}

/* A new leaf: RISC-V starts it as used. */
static void expect_new(const struct pt_table *table, uint64_t va)
{
	use.used = true;
	use.va = va;
	use.accessed = use.dirty = SVADE;
	expect_uses(table);
}
