/* ---- it records in a leaf that it used it, at the worst moment too ---- */

static struct {
	bool used, accessed, dirty;
	uint64_t root, va;
} use;

static void record(void)
{
	const struct walk walk = cpu_walk(use.root, use.va);
	const uint64_t accessed = CPU_RECORDS & -CPU_RECORDS;

	if (!use.used || walk.allowed == 0)
		return;
	*walk.entries[walk.depth - 1] |= accessed;
	use.accessed = true;
	if ((walk.allowed & (KERNEL(0, 1, 0) | USER(0, 1, 0))) == 0)
		return;
	*walk.entries[walk.depth - 1] |= CPU_RECORDS;
	use.dirty = true;
}

/* A CPU uses the leaf now, and once more before the library next stores over it. */
static void cpu_records(const struct pt_table *table, uint64_t va)
{
	struct pt_mapping now = {0};

	use.used = pt_query(table, pt_va(va), &now) == PT_OK;
	use.accessed = now.accessed;
	use.dirty = now.dirty;
	use.root = table->root.value;
	use.va = va;
	record();
}

static void before_store(void *entry)
{
	const struct walk walk = use.used ? cpu_walk(use.root, use.va) : (struct walk){0};

	if (walk.depth > 0 && walk.entries[walk.depth - 1] == entry)
		record();
}

/* `said` by a call, or by query() afterwards. */
static void expect_told(const struct pt_mapping *said)
{
	if (use.used && (said->accessed != use.accessed || said->dirty != use.dirty))
		fail("the leaf at %#" PRIx64 " is said to be%s%s, a CPU recorded%s%s", use.va,
		     said->accessed ? " accessed" : " not accessed", said->dirty ? " dirty" : "",
		     use.accessed ? " accessed" : " nothing", use.dirty ? " dirty" : "");
}

static void expect_uses(const struct pt_table *table)
{
	struct pt_mapping now = {0};

	use.used = use.used && pt_query(table, pt_va(use.va), &now) == PT_OK;
	expect_told(&now);
}

/* It leads elsewhere now: a new leaf, which RISC-V starts as used. */
static void expect_unused(const struct pt_table *table)
{
	use.accessed = use.dirty = SVADE;
	expect_uses(table);
}
