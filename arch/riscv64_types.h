/* SPDX-License-Identifier: MIT */
/* Where RISC-V leaves hold DEVICE and UNCACHED: three ways, of which a backend has one. */
#ifndef PT_RISCV64_TYPES_H
#define PT_RISCV64_TYPES_H

static const arch_entry RV_ABOVE_PPN = 0xffc0000000000000;

/* The bits that tell the memory type, and their values for normal, DEVICE and UNCACHED. */
#if defined(PT_RISCV_SVPBMT)
static const arch_entry RV_TYPE = 3ull << 61; /* "Svpbmt": 0 PMA, 1 NC, 2 IO */
static const arch_entry RV_NORMAL = 0;
static const arch_entry RV_DEVICE = 2ull << 61;
static const arch_entry RV_UNCACHED = 1ull << 61;
#elif defined(PT_RISCV_XUANTIE)
/* XTheadMae: strong order, cacheable, bufferable, shareable, trustable from bit 63 down. */
static const arch_entry RV_TYPE = 0x1full << 59;
static const arch_entry RV_NORMAL = 0x0eull << 59;
static const arch_entry RV_DEVICE = 0x12ull << 59;
static const arch_entry RV_UNCACHED = 0x06ull << 59;
static const arch_entry XUANTIE_STRONG_ORDER = 1ull << 63;
static const arch_entry XUANTIE_CACHEABLE = 1ull << 62;
#else
static const arch_entry RV_TYPE = 3ull << 8;
static const arch_entry RV_NORMAL = 0;
static const arch_entry RV_DEVICE = 1ull << 8;
static const arch_entry RV_UNCACHED = 2ull << 8;
#endif

static inline arch_entry riscv_memory_type(pt_flags flags)
{
	if (flags & PT_DEVICE)
		return RV_DEVICE;
	return flags & PT_UNCACHED ? RV_UNCACHED : RV_NORMAL;
}

/* Whether the bits above the PPN, and the software bits, say a type that exists. */
static inline bool riscv_type_is_legal(arch_entry entry)
{
	const arch_entry reserved = RV_ABOVE_PPN & ~RV_TYPE;

	if (entry & reserved)
		return false;
#if defined(PT_RISCV_SVPBMT)
	return (entry & RV_TYPE) != RV_TYPE;
#else
	return true;
#endif
}

static inline pt_flags riscv_type_flags(arch_entry entry)
{
#if defined(PT_RISCV_XUANTIE)
	if (entry & XUANTIE_STRONG_ORDER)
		return PT_DEVICE;
	return entry & XUANTIE_CACHEABLE ? 0 : PT_UNCACHED;
#else
	if ((entry & RV_TYPE) == RV_DEVICE)
		return PT_DEVICE;
	return (entry & RV_TYPE) == RV_UNCACHED ? PT_UNCACHED : 0;
#endif
}

#endif
