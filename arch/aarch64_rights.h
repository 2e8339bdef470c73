/* SPDX-License-Identifier: MIT */
/* Who may execute, and what tables on the way take away (Arm ARM D8 "Permissions"). */
#ifndef PT_AARCH64_RIGHTS_H
#define PT_AARCH64_RIGHTS_H

static const arch_entry A64_PXN_TABLE = 1ull << 59;
static const arch_entry A64_UXN_TABLE = 1ull << 60;
static const arch_entry A64_AP_TABLE_NO_USER = 1ull << 61;
static const arch_entry A64_AP_TABLE_NO_WRITE = 1ull << 62;

/* Which of UXN and PXN say "not executable": EXECUTE is for the page's own privilege only. */
static inline arch_entry a64_execute_bits(pt_flags flags)
{
	if (A64_ONE_PRIVILEGE)
		return flags & PT_EXECUTE ? 0 : A64_UXN;
	if (!(flags & PT_EXECUTE))
		return A64_UXN | A64_PXN;
	return flags & PT_USER ? A64_PXN : A64_UXN;
}

/* D8 "Hierarchical control": what any table on the way denies is denied. */
static inline arch_rights arch_rights_below(arch_rights rights, arch_entry table)
{
	return rights & ~table;
}

static inline bool arch_rights_are_whole(arch_rights rights)
{
	const arch_rights all = A64_PXN_TABLE | A64_UXN_TABLE | A64_AP_TABLE_NO_USER |
	                        A64_AP_TABLE_NO_WRITE;

	return (rights & all) == all;
}

static inline bool a64_executable(arch_entry entry, pt_flags flags, arch_rights rights)
{
	if (A64_ONE_PRIVILEGE || (flags & PT_USER))
		return !(entry & A64_UXN) && (rights & A64_UXN_TABLE);
	/* What EL0 can write EL1 can't execute (D8), but that is a USER page, judged above. */
	return !(entry & A64_PXN) && (rights & A64_PXN_TABLE);
}

#endif
