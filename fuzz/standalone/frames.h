/* SPDX-License-Identifier: MIT */
/* ---- memory: the platform of the table, as small as it gets ---- */

static uint64_t memory[FRAMES][512] __attribute__((aligned(4096)));
static enum { NEVER, USED, FREED } state[FRAMES];
static uint64_t poison[FRAMES]; /* what a frame holds when it is handed out, and is no table */
static unsigned in_use, flushes;
static unsigned long grants = -1ul; /* frames that are still granted */
static bool refuse_once;
static unsigned step, made_in[FRAMES];   /* the step of main() in which a frame was handed out */
static unsigned stores, stores_at_flush; /* over tables, as far as the library was built to tell */
static bool ignoring;                    /* no CPU has the table loaded */

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	puts("");
	fflush(stdout);
	_Exit(1);
}

static uint64_t *frame_at(uint64_t pa)
{
	return pa % 4096 == 0 && pa - BASE < sizeof memory ? memory[(pa - BASE) / 4096] : NULL;
}

static bool alloc_frame(void *context, pt_paddr *frame)
{
	(void)context;
	if (grants == 0) {
		grants = refuse_once ? -1ul : 0;
		return false;
	}
	grants -= grants != -1ul;
	for (unsigned i = 0; i < FRAMES; i++) {
		if (state[i] == USED)
			continue;
		for (unsigned k = 0; k < 512 && state[i] == FREED; k++) {
			if (memory[i][k] != poison[i])
				fail("frame %#x was written after it was freed", BASE + i * 4096);
		}
		poison[i] = POISON | (uint64_t)i << POISON_SHIFT;
		for (unsigned k = 0; k < 512; k++)
			memory[i][k] = poison[i];
		state[i] = USED;
		in_use++;
		made_in[i] = step;
		on_alloc(i);
		*frame = pt_pa(BASE + i * 4096);
		return true;
	}
	return false;
}

static void free_frame(void *context, pt_paddr frame)
{
	const uint64_t i = (frame.value - BASE) / 4096;

	(void)context;
	if (frame_at(frame.value) == NULL || state[i] == NEVER)
		fail("frame %#" PRIx64 " was freed and never handed out", frame.value);
	if (state[i] == FREED)
		fail("frame %#" PRIx64 " was freed twice", frame.value);
	if (WAITS && !ignoring && stores != stores_at_flush && made_in[i] != step)
		fail("the table at 0x%" PRIx64 " was given back with no flush since the last store",
		     frame.value);
	on_free(frame.value);
	for (unsigned k = 0; k < 512; k++)
		memory[i][k] = poison[i];
	state[i] = FREED;
	in_use--;
}

static void flush_address(void *context, pt_vaddr vaddr)
{
	(void)context;
	flushes++;
	stores_at_flush = stores;
	on_flush(&vaddr.value);
}

static void flush_all(void *context)
{
	(void)context;
	flushes++;
	stores_at_flush = stores;
	on_flush(NULL);
}

static void storing(void *context, void *entry)
{
	(void)context;
	before_store(entry);
}

static void stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	(void)context;
	(void)before;
	stores++;
	on_store(entry, after);
}

static const struct pt_platform platform = {
	.alloc_frame = alloc_frame,
	.free_frame = free_frame,
	.direct_first = {BASE},
	.direct_size = sizeof memory,
	.direct_base = memory,
	.flush_address = flush_address,
	.flush_all = flush_all,
	.storing = storing,
	.stored = stored,
};
