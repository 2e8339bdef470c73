/* SPDX-License-Identifier: MIT */
/*
 * The LoongArch walker. Each access is made by the CPU, which takes a TLB refill
 * exception for it: the handler walks by loads and asks LDDIR and LDPTE besides,
 * and both must say the same wherever the manual says what the instructions do.
 * Some questions are asked once more with the handler of just the instructions.
 * Where it leads is what TLBSRCH and TLBRD show after the access.
 *
 * QEMU has a TLB of its own behind the CPU's. That of 7.2 holds units of 16 KiB,
 * so that what one page allows its neighbours do, and an access goes to the
 * frame of the same number within the unit; nor does TLBWR reach it. What is known
 * to be in it goes before the next access to the same unit.
 */
#include "walk_loongarch64.h"

struct refill refill;
struct cpu cpu;

const struct access accesses[WP_MAILBOX_KINDS] = {
	{load_as_kernel, 0}, {store_as_kernel, 0}, {fetch_as_kernel, 0},
	{load_as_user, 3},   {store_as_user, 3},   {fetch_as_user, 3},
};

enum {
	READ,
	WRITE,
	EXECUTE,
	RIGHTS,
};
#define KERNEL_KINDS 7u

/* --- one access --- */

/* Guest memory, where bytes are kept; or else nothing is there. */
static bool in_window(uint64_t pa)
{
	return pa - refill.window < refill.window_size;
}

/* Where in the window the access really goes, see above. */
static void *data_of(uint64_t va, const struct tlb_entry *entry)
{
	return physical((entry->pa & ~(cpu.unit - 1)) | (va & (cpu.unit - 1)));
}

static uint64_t store(access_function *function, uint64_t va, const struct tlb_entry *entry)
{
	uint64_t byte = 0;

	if (is_valid(entry) && in_window(entry->pa))
		byte = *(const volatile uint8_t *)data_of(va, entry);
	return function(va, byte).code;
}

/* LA 5.4.4, in its order: why a fetch fails that is not made. */
static uint64_t fetch_denied(uint64_t half, unsigned plv)
{
	const unsigned page_plv = half >> 2 & 3;

	if ((half & TLBELO_NX) != 0)
		return ECODE_PNX;
	if ((half & TLBELO_RPLV) != 0 ? plv != page_plv : plv > page_plv)
		return ECODE_PPI;
	return 0;
}

/* The instruction is this, for a moment: BRK tells that it was fetched. */
#define BREAK 0x002a0000u

static uint64_t fetch_patched(struct wp_mailbox *mailbox, access_function *function, uint64_t va,
                              volatile uint32_t *instruction)
{
	const uint32_t before = *instruction;
	uint64_t code;

	mailbox->patched_pa = (uint64_t)instruction & bits(47, 0);
	mailbox->patched_saved = before;
	__atomic_store_n(&mailbox->patched_bytes, sizeof before, __ATOMIC_RELEASE);
	*instruction = BREAK;
	__asm__ volatile("ibar 0" ::: "memory");
	code = function(va, 0).code;
	*instruction = before;
	__asm__ volatile("ibar 0" ::: "memory");
	__atomic_store_n(&mailbox->patched_bytes, 0, __ATOMIC_RELEASE);
	return code;
}

static uint64_t fetch(struct wp_mailbox *mailbox, const struct access *access, uint64_t va,
                      const struct tlb_entry *entry)
{
	const bool valid = is_valid(entry);
	uint64_t code;

	va &= ~(uint64_t)3;
	if (valid && (mailbox->setting[WP_LA_FLAGS] & WP_LA_FETCH_HANGS) != 0) {
		code = fetch_denied(entry->half, access->plv);
		if (code != 0)
			return code;
	}
	if (valid && in_window(entry->pa))
		code = fetch_patched(mailbox, access->function, va, data_of(va, entry));
	else
		code = access->function(va, 0).code;
	return code == ECODE_BRK && csr_read(CSR_ERA) != va ? CODE_ASTRAY : code;
}

/*
 * Whether the page allowed it. What leads to no memory ends as an address error,
 * which an address that the TLB translates can't have otherwise.
 */
static bool is_allowed(uint32_t kind, uint64_t code, const struct tlb_entry *entry)
{
	if (kind % RIGHTS == EXECUTE ? code == ECODE_BRK : code == ECODE_SYS)
		return true;
	return is_valid(entry) && !in_window(entry->pa) &&
	       code == (kind % RIGHTS == EXECUTE ? ECODE_ADEF : ECODE_ADEM);
}

/* --- one question --- */

/* LA 5.2. */
static bool is_canonical(uint64_t va)
{
	return va >> 47 == 0 || va >> 47 == bits(16, 0);
}

static uint64_t as_decoy(uint64_t half)
{
	return (half & ~bits(47, 12)) | (uint64_t)DECOY_FRAME << DECOY_SHIFT;
}

/* An entry from before that leads where nothing may be touched gives way too. */
static void find_before(uint64_t va, struct tlb_entry *entry)
{
	struct tlb_pair *pair = &refill.pair;

	if (!is_canonical(va) || !find_entry(va, entry) || !is_valid(entry) ||
	    entry->pa >= refill.window)
		return;
	*pair = entry->pair;
	refill.decoy = 1;
	write_entry(va, entry->index,
	            &(struct tlb_pair){{as_decoy(pair->lo[0]), as_decoy(pair->lo[1])}, pair->ps});
}

static uint8_t level_of(const struct tlb_entry *entry)
{
	if (refill.count != 0)
		return (uint8_t)refill.level;
	if (!is_valid(entry))
		return 0xff;
	return entry->pair.ps == PTE_SHIFT ? 3 : entry->pair.ps < DIR1_SHIFT ? 2 : 1;
}

static void describe(struct wp_reply *reply, const struct tlb_entry *entry)
{
	const uint64_t ps = entry->pair.ps;

	reply->level = level_of(entry);
	reply->spare[0] = refill.count != 0 ? (uint8_t)refill.end : WALK_LEAF;
	if (!entry->hit)
		return;
	reply->raw = entry->half;
	reply->size_log2 = (uint8_t)(ps == PTE_SHIFT ? ps : ps + 1);
	if (!is_valid(entry))
		return;
	reply->pa = entry->pa;
	reply->located = reply->answered;
}

static uint64_t make(struct wp_mailbox *mailbox, uint32_t kind, uint64_t va,
                     const struct tlb_entry *entry)
{
	const struct access *access = &accesses[kind];

	switch (kind % RIGHTS) {
	case WRITE:
		return store(access->function, va, entry);
	case EXECUTE:
		return fetch(mailbox, access, va, entry);
	default:
		return access->function(va, 0).code;
	}
}

/*
 * A load comes first, asked for or not, so that what a store or a fetch leads to is
 * known; a page that may not be touched has a decoy by then.
 */
static uint64_t translate(const struct access *load, uint64_t va, bool warm,
                          struct tlb_entry *entry)
{
	uint64_t code;

	refill.count = refill.decoy = 0;
	note_unit(va, warm);
	if (warm)
		find_before(va, entry);
	code = load->function(va, 0).code;
	if (entry->hit || refill.count != 0)
		find_entry(va, entry);
	return code;
}

/* In the order of kinds: after a store QEMU lets a load through, NR or not. */
static void answer(struct wp_mailbox *mailbox, uint32_t number, bool warm)
{
	const uint64_t va = mailbox->questions[number].va, kinds = mailbox->questions[number].kinds;
	const uint32_t first = (kinds & KERNEL_KINDS) != 0 ? READ : RIGHTS + READ;
	struct wp_reply reply = {.answered = (uint8_t)kinds};
	struct tlb_entry entry = {0};
	uint64_t loaded;

	mailbox->replies[number] = reply;
	if (kinds == 0)
		return;
	walker_at(mailbox, number, first);
	loaded = translate(&accesses[first], va, warm, &entry);
	for (uint32_t kind = first; kinds >> kind != 0; kind++) {
		uint64_t code = loaded;

		if ((kinds >> kind & 1) == 0)
			continue;
		walker_at(mailbox, number, kind);
		if (kind != first)
			code = make(mailbox, kind, va, &entry);
		if (is_allowed(kind, code, &entry))
			reply.allowed |= (uint8_t)(1u << kind);
		else
			reply.code[kind] = (uint32_t)code;
	}
	if (refill.decoy != 0 && entry.hit) {
		write_entry(va, entry.index, &refill.pair);
		find_entry(va, &entry);
	}
	describe(&reply, &entry);
	if (!forms_agree(&accesses[first], va, loaded, warm, &entry)) {
		cpu.differences++;
		reply.code[first] = CODE_FORMS_DIFFER;
	}
	if (!warm && entry.hit)
		drop_entry(entry.index);
	mailbox->replies[number] = reply;
}

/* --- orders --- */

static void set_up(const struct wp_mailbox *mailbox)
{
	csr_write(CSR_PGDL, mailbox->setting[WP_LA_PGDL] & bits(47, 12));
	csr_write(CSR_PGDH, mailbox->setting[WP_LA_PGDH] & bits(47, 12));
	refill.window = mailbox->setting[WP_LA_WINDOW];
	refill.window_size = mailbox->setting[WP_LA_WINDOW_SIZE];
	refill.zeros_at_0 = mailbox->setting[WP_LA_FLAGS] & WP_LA_ZEROS_AT_0;
	if (cpu.tried)
		empty_tlb();
	cpu.tried = false;
}

/*
 * Questions about one unit wait for each other, so that it isn't one of them that
 * costs a flush, but a round of all. After some rounds those left are too few to wait.
 */
#define ROUNDS 8

static void answer_in_rounds(struct wp_mailbox *mailbox)
{
	static uint16_t waiting[WP_MAILBOX_BATCH];
	uint32_t count = mailbox->count;

	for (uint32_t i = 0; i < count; i++)
		waiting[i] = (uint16_t)i;
	for (unsigned round = 0; count > 0; round++) {
		uint32_t left = 0;

		for (uint32_t i = 0; i < count; i++) {
			const uint16_t number = waiting[i];

			if (round < ROUNDS && is_noted(mailbox->questions[number].va))
				waiting[left++] = number;
			else
				answer(mailbox, number, false);
		}
		count = left;
		if (count > 0)
			forget_units(false);
	}
}

void walker_probe(struct wp_mailbox *mailbox)
{
	set_up(mailbox);
	if ((mailbox->flags & WP_PROBE_WARM) != 0) {
		for (uint32_t number = 0; number < mailbox->count; number++)
			answer(mailbox, number, true);
	} else {
		empty_tlb();
		answer_in_rounds(mailbox);
		refill.next_mtlb = 0;
		set_asid(OUR_ASID);
	}
	mailbox->found[WP_LA_COMPARED] = cpu.compared;
	mailbox->found[WP_LA_FILLED] = cpu.filled;
	mailbox->found[WP_LA_DIFFERENCES] = cpu.differences;
}

void walker_flush_all(struct wp_mailbox *mailbox)
{
	set_up(mailbox);
	empty_tlb();
}

struct wp_mailbox *walker_mailbox(void)
{
	return physical(WP_MAILBOX_OFFSET);
}

/* Also called by the exception vector. */
_Noreturn void panic(void)
{
	struct wp_mailbox *mailbox = walker_mailbox();

	mailbox->panic[1] = csr_read(CSR_ERA);
	mailbox->panic[2] = csr_read(CSR_BADV);
	mailbox->panic[3] = csr_read(CSR_TLBRERA);
	__atomic_store_n(&mailbox->panic[0], csr_read(CSR_ESTAT) | 1, __ATOMIC_RELEASE);
	for (;;)
		;
}

void walker_start(struct wp_mailbox *mailbox)
{
	const uint64_t index_bits = 9;

	(void)mailbox;
	csr_write(CSR_PWCL, PTE_SHIFT | index_bits << 5 | DIR1_SHIFT << 10 | index_bits << 15 |
	                            (uint64_t)DIR2_SHIFT << 20 | index_bits << 25);
	csr_write(CSR_PWCH, DIR3_SHIFT | index_bits << 6);
	csr_write(CSR_STLBPS, PTE_SHIFT);
	set_asid(OUR_ASID);
	csr_write(CSR_TLBRENTRY, (uint64_t)refill_by_loads & bits(47, 0));
	empty_tlb();
	if (!examine_cpu())
		panic();
}

/* LA 4.2.4 INVTLB 6: of this address space or global, and of this address. */
void walker_flush_address(struct wp_mailbox *mailbox, uint64_t va)
{
	set_up(mailbox);
	__asm__ volatile("invtlb 6, %0, %1" : : "r"((uint64_t)OUR_ASID), "r"(va) : "memory");
}
