/* SPDX-License-Identifier: MIT */
/* ---- it walks after every store ---- */

static struct watched {
	bool used, may_fault, suspect;
	uint64_t root, va;
	struct walk before, between[16];
	unsigned count;
} watched[8];
static uint64_t shadow[FRAMES][512]; /* of all tables, as their stores made them... */
static bool fresh[FRAMES];           /* ...but for those that this step made */

static bool same_walk(const struct walk *a, const struct walk *b)
{
	if (a->allowed != b->allowed || a->lost || b->lost)
		return false;
	return a->allowed == 0 || (a->pa == b->pa && a->type == b->type);
}

static void on_alloc(unsigned i)
{
	fresh[i] = true;
}

static void begin_step(void)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		if (fresh[i])
			memcpy(shadow[i], memory[i], sizeof shadow[i]);
		fresh[i] = false;
	}
}

/* BREAKS: no live leaf becomes another one without an invalid entry and a flush. */
static void check_break(const struct walk *now, uint64_t root, uint64_t va)
{
	for (struct remembered *slot = tlb; slot < tlb + 8; slot++) {
		if (!slot->used || !slot->valid || slot->root != root || slot->va != va)
			continue;
		if (now->allowed != 0 && slot->walk.allowed != 0 &&
		    (now->pa != slot->walk.pa || now->type != slot->walk.type ||
		     now->size != slot->walk.size || (now->global && !slot->walk.global)))
			fail("%#" PRIx64
			     " becomes another leaf without an invalid entry and a flush between",
			     va);
	}
}

static void on_store(const uint64_t *entry, uint64_t after)
{
	const size_t index = (size_t)(entry - memory[0]);

	if (*entry == after)
		shadow[index / 512][index % 512] = after;
	for (struct watched *at = watched; at < watched + 8; at++) {
		const struct walk now = at->used ? cpu_walk(at->root, at->va) : (struct walk){0};

		if (!at->used)
			continue;
		if (BREAKS)
			check_break(&now, at->root, at->va);
		if (same_walk(&now, &at->before) || at->count == 16 ||
		    (now.allowed == 0 && !now.lost && at->may_fault))
			continue;
		at->between[at->count++] = now;
	}
}

/* From here on, at this address too. */
static void watch(const struct pt_table *table, uint64_t va, bool may_fault)
{
	struct watched *at = watched;

	while (at < watched + 7 && at->used)
		at++;
	*at = (struct watched){.used = true,
	                       .may_fault = may_fault,
	                       .root = table->root.value,
	                       .va = va,
	                       .before = cpu_walk(table->root.value, va)};
	cpu_uses(table->root.value, va);
}

/* Each walk in between ended as before the call, as after it, or in a fault. */
static void expect_walkable(void)
{
	for (struct watched *at = watched; at < watched + 8; at++) {
		const struct walk now = at->used ? cpu_walk(at->root, at->va) : (struct walk){0};

		for (unsigned i = 0; i < at->count && at->used; i++) {
			if (!same_walk(&at->between[i], &now))
				fail("between two stores %#" PRIx64 " goes to %#" PRIx64
				     " (rights %#x), before to %#" PRIx64
				     " (%#x), after to %#" PRIx64 " (%#x)",
				     at->va, at->between[i].pa, at->between[i].allowed,
				     at->before.pa, at->before.allowed, now.pa, now.allowed);
		}
	}
	for (unsigned i = 0; i < FRAMES; i++) {
		for (unsigned k = 0; k < 512 && state[i] == USED && !fresh[i]; k++) {
			if (((shadow[i][k] ^ memory[i][k]) & ~CPU_RECORDS) != 0)
				fail("entry %u of the table at %#x changed without the function "
				     "that stores entries",
				     k, BASE + i * 4096);
		}
	}
}
