/* SPDX-License-Identifier: MIT */
/*
 * A regime: everything about a translation that isn't in the tables. Which
 * architecture, how many levels, which half, which attributes. Written from the
 * contract and the manuals; nothing here comes from arch/.
 */
#ifndef WP_REGIME_H
#define WP_REGIME_H

#include <walkproof/pt.h>

enum wp_arch {
	WP_X86_64,
	WP_AARCH64,
	WP_RISCV64,
	WP_LOONGARCH64,
	WP_X86_EPT,
	WP_ARCHS,
};

/* Where RISC-V keeps DEVICE and UNCACHED. */
enum wp_riscv_attributes {
	WP_ATTR_SOFTWARE, /* RSW bits; the CPU knows nothing of them */
	WP_ATTR_SVPBMT,
	WP_ATTR_XUANTIE,
};

/*
 * x86_64: CR0.WP, EFER.NXE, CR4.SMEP on; SMAP off or AC set. AArch64: 4 KiB
 * granule, 48-bit, TBI, HPD, WXN, PAN off, HA = 0, MAIR as in the contract.
 * RISC-V: SUM = 1, MXR = 0, hardware updates A and D. LoongArch: PLV0 and PLV3,
 * DWPL off, the refill handler of LDDIR, LDPTE and TLBFILL. EPT: guest-physical
 * addresses; execute-only pages, accessed and dirty flags (EPTP bit 6), no mode-based
 * execute control.
 */
struct wp_regime {
	const char *name; /* such as riscv64_sv48_svpbmt, aarch64_high */
	enum wp_arch arch;
	uint8_t levels;
	uint8_t va_bits; /* canonical width: of each half where there are two roots */
	uint8_t pa_bits;
	enum pt_half half;
	bool one_privilege; /* EL2, a stage 2: no access is a user's */
	enum wp_riscv_attributes attributes;
	uint64_t leaf_sizes; /* the OR of all leaf sizes */

	/* The shape of its tables; entries have 8 bytes. */
	uint8_t granule_shift; /* of a page, and of a table but the root */
	uint8_t index_bits;    /* of each level but the root */
	uint8_t root_bits;     /* of index; a root may be more than a frame, or less */
	bool stage_2;          /* its addresses are a guest's physical ones */
};

extern const struct wp_regime wp_regimes[];
extern const size_t wp_regime_count;
#define WP_REGIMES_MAX 32

/* NULL: no regime of that name. */
const struct wp_regime *wp_regime_find(const char *name);
const char *wp_arch_name(enum wp_arch arch);

/* Whether the regime's table can translate `va` at all. */
bool wp_regime_canonical(const struct wp_regime *regime, uint64_t va);

/* First and last addresses of the canonical ranges; returns how many (1 or 2). */
size_t wp_regime_ranges(const struct wp_regime *regime, uint64_t first[2], uint64_t last[2]);

/* The address whose bits within the width, as indices of tables, are these. */
uint64_t wp_regime_extend(const struct wp_regime *regime, uint64_t va);

/* ------------------------------------------------------------------ geometry */

/* In bytes: the smallest page, which is a frame. */
static inline uint64_t wp_regime_page(const struct wp_regime *regime)
{
	return (uint64_t)1 << regime->granule_shift;
}

/* The same as the size of an object: no mask for addresses, which may be wider. */
static inline size_t wp_regime_page_bytes(const struct wp_regime *regime)
{
	return (size_t)1 << regime->granule_shift;
}

/* The lowest address bit that an entry of `level` resolves. */
static inline unsigned wp_regime_shift(const struct wp_regime *regime, unsigned level)
{
	return regime->granule_shift + regime->index_bits * (regime->levels - 1u - level);
}

/* What one entry of `level` spans, in bytes; 0 for a level out of range. */
static inline uint64_t wp_regime_span(const struct wp_regime *regime, unsigned level)
{
	return level < regime->levels ? (uint64_t)1 << wp_regime_shift(regime, level) : 0;
}

static inline size_t wp_regime_entries(const struct wp_regime *regime, unsigned level)
{
	return (size_t)1 << (level == 0 ? regime->root_bits : regime->index_bits);
}

static inline size_t wp_regime_index(const struct wp_regime *regime, unsigned level, uint64_t va)
{
	return (size_t)(va >> wp_regime_shift(regime, level)) &
	       (wp_regime_entries(regime, level) - 1);
}

/* A root of several frames is aligned to its size. */
static inline size_t wp_regime_root_bytes(const struct wp_regime *regime)
{
	return wp_regime_entries(regime, 0) * sizeof(uint64_t);
}

#endif
