/* SPDX-License-Identifier: MIT */
#ifndef PT_AARCH64_TLB_H
#define PT_AARCH64_TLB_H

/* D8 "Ordering and completion": without it an access right after a new mapping may fault. */
static inline void arch_publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

/* D8 "Ordering and completion of TLB maintenance": every core, any ASID, all levels. */
static inline void arch_flush_address(uint64_t vaddr)
{
	const uint64_t operand = vaddr >> 12 & 0xfffffffffff;

#ifdef PT_AARCH64_EL2
	__asm__ volatile("dsb ishst\n\ttlbi vae2is, %0\n\tdsb ish\n\tisb"
	                 :
	                 : "r"(operand)
	                 : "memory");
#else
	__asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb"
	                 :
	                 : "r"(operand)
	                 : "memory");
#endif
}

static inline void arch_flush_all(void)
{
#ifdef PT_AARCH64_EL2
	__asm__ volatile("dsb ishst\n\ttlbi alle2is\n\tdsb ish\n\tisb" : : : "memory");
#else
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
#endif
}

#endif
