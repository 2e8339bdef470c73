/* SPDX-License-Identifier: MIT */
#ifndef PT_LOONGARCH64_TLB_H
#define PT_LOONGARCH64_TLB_H

/*
 * This core. No form of INVTLB reaches one address in every address space, and
 * kernel pages are not global here: everything goes. A kernel that knows its
 * ASIDs gives the platform a finer function (INVTLB 6).
 */
static inline void arch_flush_all(void)
{
	__asm__ volatile("dbar 0\n\tinvtlb 0x0, $zero, $zero" : : : "memory");
}

static inline void arch_flush_address(uint64_t vaddr)
{
	(void)vaddr;
	arch_flush_all();
}

#endif
