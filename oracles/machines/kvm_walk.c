/* SPDX-License-Identifier: MIT */
/*
 * The tables as the host sees them, to know what may be asked of the virtual
 * machine, and where it knows less than the architecture. What a walk leads to is
 * for the virtual machine to say.
 */
#include "kvm.h"

#include "scratch.h"

/* SDM vol. 3, 4.5.4. */
#define P       ((uint64_t)1 << 0)
#define PS      ((uint64_t)1 << 7)
#define ADDRESS (((uint64_t)1 << 52) - WP_FRAME_SIZE)

/* Any byte of [pa, pa + size) is in the stub's frames. */
static bool meets_stub(uint64_t pa, uint64_t size)
{
	return pa < WP_KVM_STUB_END && pa + size > WP_KVM_STUB_PA;
}

/*
 * SDM vol. 3, 4.5.4: PS is reserved above level 3, as are the address bits of a
 * leaf that are below its size, but for the lowest, which is PAT.
 */
static bool leaf_is_malformed(uint64_t entry, unsigned shift)
{
	const uint64_t below = ((uint64_t)1 << shift) - 1;

	return shift > 30 ||
	       (shift > 12 && (entry & ADDRESS & below & ~(uint64_t)WP_FRAME_SIZE) != 0);
}

static struct wp_kvm_place leaf_place(const struct wp_kvm *kvm, uint64_t va, uint64_t entry,
                                      unsigned shift)
{
	const uint64_t within = ((uint64_t)1 << shift) - 1;
	const uint64_t pa = (entry & ADDRESS & ~within) | (va & within);
	const bool unknown = shift == 30 && !kvm->gigapages && !kvm->machine.incautious;

	if (leaf_is_malformed(entry, shift))
		return (struct wp_kvm_place){WP_KVM_NOWHERE, 0};
	if (unknown || meets_stub(pa, 1))
		return (struct wp_kvm_place){WP_KVM_UNSURE, 0};
	if (wp_memory_at(kvm->machine.memory, pa, 1) != NULL)
		return (struct wp_kvm_place){WP_KVM_INSIDE, pa};
	return (struct wp_kvm_place){WP_KVM_OUTSIDE, pa};
}

struct wp_kvm_place wp_kvm_place(const struct wp_kvm *kvm, uint64_t va, uint64_t *tables)
{
	const struct wp_memory *memory = kvm->machine.memory;
	const struct wp_kvm_place nowhere = {WP_KVM_NOWHERE, 0}, unsure = {WP_KVM_UNSURE, 0};
	/* SDM vol. 3, 4.1.4: bits 51:MAXPHYADDR are reserved. */
	const uint64_t too_wide = ((uint64_t)1 << 52) - ((uint64_t)1 << kvm->pa_bits);
	unsigned shift = 12 + 9u * kvm->regime->levels;
	uint64_t table = kvm->root;

	if (!wp_regime_canonical(kvm->regime, va))
		return nowhere;
	for (;;) {
		const uint64_t *entries = wp_memory_at(memory, table, WP_FRAME_SIZE);
		const uint64_t index = (table - memory->base) / WP_FRAME_SIZE;
		uint64_t entry;

		if (entries == NULL)
			return meets_stub(table, WP_FRAME_SIZE) ? unsure : nowhere;
		tables[index / 64] |= (uint64_t)1 << index % 64;
		shift -= 9;
		entry = entries[va >> shift & 511];
		if ((entry & P) == 0)
			return nowhere;
		if ((entry & too_wide) != 0 && !kvm->machine.incautious)
			return unsure;
		if (shift == 12 || (entry & PS) != 0)
			return leaf_place(kvm, va, entry, shift);
		table = entry & ADDRESS;
	}
}

/* --- quirks --- */

#define NO_MEMORY 0x89abcd000u

/* The highest bit of an address is reserved, and the highest below is not. */
static bool maxphyaddr_shows(struct wp_scratch *scratch)
{
	const unsigned pa_bits = wp_kvm_of(scratch->machine)->pa_bits;
	uint64_t pa;

	wp_scratch_map(scratch, NO_MEMORY | (uint64_t)1 << pa_bits, PT_READ);
	if (wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	wp_scratch_map(scratch, NO_MEMORY | (uint64_t)1 << (pa_bits - 1), PT_READ);
	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool maxphyaddr(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", maxphyaddr_shows);
}

static bool gigapage_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	*scratch->entry[1] = wp_scratch_leaf_entry(scratch, 1, (uint64_t)7 << 30, PT_READ);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool gigapage(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", gigapage_shows);
}

static bool wild_table_shows(struct wp_scratch *scratch)
{
	struct wp_answer answer;

	*scratch->entry[2] = wp_scratch_table_entry(scratch, NO_MEMORY);
	answer = wp_scratch_ask(scratch, WP_KERNEL_READ);
	return answer.answered != 0 && answer.fault == WP_FAULT_NOT_PRESENT;
}

static bool wild_table(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", wild_table_shows);
}

#define ENTRY_OF_THE_HOLE 256u

/* The same page, through another entry of the root and then through that one. */
static bool user_hole_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ | PT_USER);
	if (!wp_scratch_translate(scratch, WP_USER_READ, &pa))
		return false;
	wp_scratch_move(scratch, ENTRY_OF_THE_HOLE);
	return !wp_scratch_translate(scratch, WP_USER_READ, &pa) &&
	       wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool user_hole(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", user_hole_shows);
}

void wp_kvm_list_quirks(struct wp_kvm *kvm)
{
	static const struct wp_quirk wild = {
		"kvm-wild-table", "a table outside of memory is a hole and no bus error",
		"SDM vol. 3, 4.6: what is not memory has no defined contents", wild_table};
	static const struct wp_quirk narrow = {"kvm-maxphyaddr",
	                                       "this host's MAXPHYADDR is below 52: the address "
	                                       "bits from there on are reserved; a "
	                                       "probe that meets one is not answered",
	                                       "SDM vol. 3, 4.1.4: up to 52", maxphyaddr};
	static const struct wp_quirk small = {"kvm-no-1g",
	                                      "this host offers no leaves of 1 GiB: one is a "
	                                      "reserved bit; a probe that meets one "
	                                      "is not answered",
	                                      "SDM vol. 3, 4.1.4: CPUID.80000001H:EDX.Page1GB",
	                                      gigapage};
	static const struct wp_quirk hole = {
		"kvm-pvm-hole",
		"kvm_pvm keeps a part of the address space, 0xffff800000000000 to "
		"0xffff807fffffffff, from the user; a user's probe there is not answered",
		"SDM vol. 3, 4.6: the tables alone decide", user_hole};
	size_t count = 0;

	kvm->quirks[count++] = wild;
	if (kvm->pvm)
		kvm->quirks[count++] = hole;
	if (kvm->pa_bits < 52)
		kvm->quirks[count++] = narrow;
	if (!kvm->gigapages)
		kvm->quirks[count++] = small;
	kvm->machine.quirks = kvm->quirks;
	kvm->machine.quirks_vary = true;
	kvm->machine.quirk_count = count;
}
