/* SPDX-License-Identifier: MIT */
/* ---- what must be ---- */

static void expect(unsigned step, const char *call, pt_status status, pt_status right)
{
	if (status != right)
		fail("step %u: %s returned %s, it must return %s", step, call,
		     pt_status_name(status), pt_status_name(right));
}

static void expect_mapping(unsigned step, const struct pt_mapping *said, uint64_t va, uint64_t pa,
                           uint64_t size, pt_flags flags)
{
	if (said->vaddr.value != va || said->paddr.value != pa || said->size != size ||
	    said->flags != flags)
		fail("step %u says %#" PRIx64 " -> %#" PRIx64 ", size %#" PRIx64
		     ", flags %#x; it must say %#" PRIx64 " -> %#" PRIx64 ", size %#" PRIx64
		     ", flags %#x",
		     step, said->vaddr.value, said->paddr.value, said->size, (unsigned)said->flags,
		     va, pa, size, (unsigned)flags);
}

static void expect_size(unsigned step, uint64_t size, uint64_t right)
{
	if (size != right)
		fail("step %u says size %#" PRIx64 ", it must say %#" PRIx64, step, size, right);
}

/* query() of a mapped address, or, with PT_NOT_MAPPED or PT_BAD_ADDRESS, of another. */
static void expect_query(const struct pt_table *table, uint64_t va, pt_status right, uint64_t pa,
                         uint64_t size, pt_flags flags)
{
	struct pt_mapping said = {0};
	const pt_status status = pt_query(table, pt_va(va), &said);

	if (status != right)
		fail("query(%#" PRIx64 ") says %s, it must say %s", va, pt_status_name(status),
		     pt_status_name(right));
	if (status == PT_OK && (said.vaddr.value != va || said.paddr.value != pa ||
	                        said.size != size || said.flags != flags))
		fail("query(%#" PRIx64 ") says %#" PRIx64 ", size %#" PRIx64
		     ", flags %#x; it must say %#" PRIx64 ", size %#" PRIx64 ", flags %#x",
		     va, said.paddr.value, said.size, (unsigned)said.flags, pa, size,
		     (unsigned)flags);
}

/* Between a change and its flush there may be more than the mappings need. */
static void expect_frames(unsigned least, unsigned most)
{
	if (in_use < least)
		fail("%u frames are in use, the mappings need %u", in_use, least);
	if (in_use > most)
		fail("%u frames are in use, at most %u are needed: the others are lost", in_use,
		     most);
}

static void expect_flushes(unsigned right)
{
	if (flushes != right)
		fail("a call that failed has flushed");
}

static void expect_recorded(const struct pt_batch *batch, unsigned count, bool all)
{
	if (batch->count != count || batch->all != all)
		fail("a call that failed has recorded a flush in its batch");
}

/* No table holds what was in its frame before. */
static void expect_zeroed(void)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		for (unsigned k = 0; k < 512 && state[i] == USED; k++) {
			if (memory[i][k] == poison[i])
				fail("entry %u of the table at %#x is what was in its frame before",
				     k, BASE + i * 4096);
		}
	}
}
