/* SPDX-License-Identifier: MIT */
/*
 * What the entries of RISC-V's own tables and of a guest's have alike (Privileged ISA,
 * "Sv39"; the G-stage's are the same, "Guest Physical Address Translation").
 */
#ifndef PT_RISCV64_ENTRIES_H
#define PT_RISCV64_ENTRIES_H

static const arch_entry RV_VALID = 1ull << 0;
static const arch_entry RV_READ = 1ull << 1;
static const arch_entry RV_WRITE = 1ull << 2;
static const arch_entry RV_EXECUTE = 1ull << 3;
static const arch_entry RV_USER = 1ull << 4;
static const arch_entry RV_GLOBAL = 1ull << 5;
static const arch_entry ARCH_ACCESSED = 1ull << 6;
static const arch_entry ARCH_DIRTY = 1ull << 7;
/* With V = 0, where every bit is free: W without R. */
static const arch_entry RV_NO_ACCESS = 1ull << 2;
static const arch_entry RV_SOFTWARE = 3ull << 8;
static const arch_entry RV_PPN = 0x003ffffffffffc00;
static const arch_entry RV_RIGHTS = 7ull << 1;

/* Those of a leaf, or that it is a mapping without. */
static inline arch_entry riscv_rights(pt_flags flags)
{
	arch_entry bits = RV_VALID;

	if (!(flags & (PT_READ | PT_WRITE | PT_EXECUTE)))
		return RV_NO_ACCESS;
	if (flags & PT_READ)
		bits |= RV_READ;
	if (flags & PT_WRITE)
		bits |= RV_WRITE;
	if (flags & PT_EXECUTE)
		bits |= RV_EXECUTE;
	return bits;
}

static inline pt_flags riscv_rights_flags(arch_entry entry)
{
	pt_flags flags = 0;

	if (!(entry & RV_VALID))
		return 0;
	if (entry & RV_READ)
		flags |= PT_READ;
	if (entry & RV_WRITE)
		flags |= PT_WRITE;
	if (entry & RV_EXECUTE)
		flags |= PT_EXECUTE;
	return flags;
}

static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return paddr >> 2 | bits;
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr >> 2 | RV_VALID;
}

/* "Sv39": U, A, D and the bits above the PPN are reserved in a pointer. */
static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	const arch_entry ignored = RV_PPN | RV_SOFTWARE | RV_GLOBAL;

	return level < ARCH_LAST_LEVEL && (entry & ~ignored) == RV_VALID;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return (entry & RV_PPN) << 2;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	(void)level;
	return (entry & RV_PPN) << 2;
}

#endif
