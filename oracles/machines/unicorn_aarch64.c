/* SPDX-License-Identifier: MIT */
/*
 * AArch64 on Unicorn: one CPU, moved between EL0, EL1 and EL2 for probes and to
 * EL3, whose MMU is off, for flushes.
 */
#include "unicorn.h"

#include <inttypes.h>
#include <string.h>

#include "quirks_shared.h"

#define VALID           ((uint64_t)1 << 0)
#define TABLE           ((uint64_t)1 << 1) /* a page, at level 3 */
#define NORMAL          ((uint64_t)1 << 2) /* AttrIndx 1 */
#define INNER_SHAREABLE ((uint64_t)3 << 8)
#define AF              ((uint64_t)1 << 10)
#define PXN             ((uint64_t)1 << 53)
#define UXN             ((uint64_t)1 << 54) /* XN at EL2 */
#define ADDRESS         0x0000fffffffff000u

/*
 * The last frame that EL3 can run untranslated: the CPU has 44 address bits, which
 * it checks with the MMU off only. A descriptor can name this frame; a walk into
 * it is not asked for (wp_unicorn_walk()).
 */
#define STUB_FRAMES 1
#define STUB_PA     (((uint64_t)1 << 44) - STUB_FRAMES * WP_FRAME_SIZE)
static const uint32_t stub[] = {
	0xd5088360, /* tlbi vaae1is, x0 */
	0xd503207f, /* wfi */
	0xd50c8320, /* tlbi vae2is, x0 */
	0xd503207f, /* wfi */
};
enum {
	STUB_VAAE1IS = 0,
	STUB_VAE2IS = 8,
};

struct system_register {
	uint32_t op0, op1, crn, crm, op2;
};
static const struct system_register SCR_EL3 = {3, 6, 1, 1, 0};
static const struct system_register HCR_EL2 = {3, 4, 1, 1, 0};
static const struct system_register SCTLR_EL1 = {3, 0, 1, 0, 0};
static const struct system_register SCTLR_EL2 = {3, 4, 1, 0, 0};
static const struct system_register TCR_EL1 = {3, 0, 2, 0, 2};
static const struct system_register TCR_EL2 = {3, 4, 2, 0, 2};
static const struct system_register TTBR0_EL1 = {3, 0, 2, 0, 0};
static const struct system_register TTBR1_EL1 = {3, 0, 2, 0, 1};
static const struct system_register TTBR0_EL2 = {3, 4, 2, 0, 0};
static const struct system_register MAIR_EL1 = {3, 0, 10, 2, 0};
static const struct system_register MAIR_EL2 = {3, 4, 10, 2, 0};
static const struct system_register TPIDR_EL0 = {3, 3, 13, 0, 2};

#define SCR_RW_NS     0x401u
#define HCR_RW        ((uint64_t)1 << 31)
#define SCTLR_M       1u
#define MAIR_CONTRACT 0x44ff04u /* device, normal, non-cacheable */

/*
 * 48-bit halves, 48-bit addresses, granules of 4 KiB or 64 KiB, which TG0 and TG1 encode
 * differently; the half without a root is off.
 */
#define TCR_T0SZ      16u
#define TCR_EPD0      ((uint64_t)1 << 7)
#define TCR_T1SZ      ((uint64_t)16 << 16)
#define TCR_EPD1      ((uint64_t)1 << 23)
#define TCR_TG0_64K   ((uint64_t)1 << 14)
#define TCR_TG1_4K    ((uint64_t)2 << 30)
#define TCR_TG1_64K   ((uint64_t)3 << 30)
#define TCR_IPS_48    ((uint64_t)5 << 32)
#define TCR_EL2_PS_48 ((uint64_t)5 << 16)

enum {
	PSTATE_EL0T = 0x3c0,
	PSTATE_EL1H = 0x3c5,
	PSTATE_EL2H = 0x3c9,
	PSTATE_EL3H = 0x3cd,
};

static uc_err write_system(uc_engine *engine, const struct system_register *id, uint64_t value)
{
	uc_arm64_cp_reg reg = {.crn = id->crn,
	                       .crm = id->crm,
	                       .op0 = id->op0,
	                       .op1 = id->op1,
	                       .op2 = id->op2,
	                       .val = value};

	return uc_reg_write(engine, UC_ARM64_REG_CP_REG, &reg);
}

/* With its default of 1 KiB, Unicorn takes every 4 KiB page for a large one. */
static uc_err choose_model(uc_engine *engine)
{
	return uc_ctl_set_page_size(engine, 4096);
}

static uc_err start(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	uc_engine *engine = unicorn->engine[privilege];
	uc_err error = write_system(engine, &SCR_EL3, SCR_RW_NS);

	memcpy(unicorn->stub, stub, sizeof stub);
	if (error == UC_ERR_OK)
		error = write_system(engine, &HCR_EL2, HCR_RW);
	if (error == UC_ERR_OK)
		error = write_system(engine, &MAIR_EL1, MAIR_CONTRACT);
	if (error == UC_ERR_OK)
		error = write_system(engine, &MAIR_EL2, MAIR_CONTRACT);
	return error;
}

static void write_register(const struct wp_unicorn *unicorn, const struct system_register *id,
                           uint64_t value)
{
	wp_unicorn_must(write_system(unicorn->engine[WP_KERNEL], id, value), "system register");
}

static const struct system_register *root_register(const struct wp_regime *regime)
{
	if (regime->one_privilege)
		return &TTBR0_EL2;
	return regime->half == PT_HIGH ? &TTBR1_EL1 : &TTBR0_EL1;
}

static void configure(struct wp_unicorn *unicorn)
{
	const bool high = unicorn->regime->half == PT_HIGH;
	const bool large = unicorn->regime->granule_shift == 16;
	const uint64_t granules = large ? TCR_TG0_64K | TCR_TG1_64K : TCR_TG1_4K;

	if (unicorn->regime->one_privilege) {
		write_register(unicorn, &TCR_EL2, TCR_T0SZ | TCR_EL2_PS_48);
		write_register(unicorn, &SCTLR_EL2, SCTLR_M);
		return;
	}
	write_register(unicorn, &TCR_EL1,
	               TCR_T0SZ | TCR_T1SZ | granules | TCR_IPS_48 | (high ? TCR_EPD0 : TCR_EPD1));
	write_register(unicorn, &SCTLR_EL1, SCTLR_M);
}

static void set_root(struct wp_unicorn *unicorn)
{
	write_register(unicorn, root_register(unicorn->regime), unicorn->root);
	unicorn->empty = false;
	wp_unicorn_flush(unicorn);
}

/* The CPU takes notice of a new PSTATE when a system register is written. */
static void set_pstate(const struct wp_unicorn *unicorn, uint32_t pstate)
{
	wp_unicorn_must(uc_reg_write(unicorn->engine[WP_KERNEL], UC_ARM64_REG_PSTATE, &pstate),
	                "PSTATE");
	write_register(unicorn, &TPIDR_EL0, 0);
}

static void enter(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	if (unicorn->regime->one_privilege)
		set_pstate(unicorn, PSTATE_EL2H);
	else
		set_pstate(unicorn, privilege == WP_USER ? PSTATE_EL0T : PSTATE_EL1H);
}

static void flush_address(struct wp_unicorn *unicorn, enum wp_privilege privilege, uint64_t va)
{
	const uint64_t begin = STUB_PA +
	                       (unicorn->regime->one_privilege ? STUB_VAE2IS : STUB_VAAE1IS);
	const uint64_t operand = va >> 12 & 0xfffffffffff; /* VA[55:12], ASID and TTL zero */

	set_pstate(unicorn, PSTATE_EL3H);
	wp_unicorn_must(uc_reg_write(unicorn->engine[privilege], UC_ARM64_REG_X0, &operand), "X0");
	wp_unicorn_must(uc_emu_start(unicorn->engine[privilege], begin, 0, 0, 0), "TLBI");
}

/*
 * DDI 0487, D8.3: a block can't be in the root, and its address bits below its size
 * are RES0. Unicorn takes a block there, and ORs such bits into the address.
 */
static enum wp_entry classify(const struct wp_regime *regime, unsigned level, uint64_t entry,
                              uint64_t *next)
{
	const unsigned shift = wp_regime_shift(regime, level);

	if ((entry & VALID) == 0 || level + 1 == regime->levels)
		return WP_ENTRY_END;
	if ((entry & TABLE) != 0) {
		*next = entry & ADDRESS & ~(wp_regime_page(regime) - 1);
		return WP_ENTRY_TABLE;
	}
	if (level == 0 || (entry & ADDRESS & (((uint64_t)1 << shift) - 1)) != 0)
		return WP_ENTRY_QUIRK;
	return WP_ENTRY_END;
}

static bool answerable(const struct wp_unicorn *unicorn, uint64_t va)
{
	return wp_unicorn_walk(unicorn, va, classify);
}

/* --- quirks --- */

#define PAGE 0x765400000000u /* aligned for any block; no RAM */

static bool block_stray_bits_shows(struct wp_scratch *scratch)
{
	const uint64_t offset = scratch->va & (PT_1G - 1);
	uint64_t pa;

	for (unsigned bit = 12; bit < 30; bit++) {
		const uint64_t stray = (uint64_t)1 << bit;

		*scratch->entry[1] = wp_scratch_leaf_entry(scratch, 1, PAGE | stray, PT_READ);
		if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) ||
		    pa != (PAGE | stray | offset))
			return false;
	}
	return true;
}

static bool block_stray_bits(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "aarch64_low", block_stray_bits_shows);
}

static bool no_address_size_fault_shows(struct wp_scratch *scratch)
{
	const struct wp_regime *regime = scratch->regime;
	struct wp_regime narrow = *regime;
	uint64_t pa;
	bool translates;

	wp_scratch_map(scratch, PAGE, PT_READ);
	write_register(wp_unicorn_of(scratch->machine), &TCR_EL1,
	               TCR_T0SZ | TCR_EPD1); /* IPS: 32 bits */
	wp_unicorn_flush(wp_unicorn_of(scratch->machine));
	wp_scratch_note("    TCR_EL1.IPS = 0: 32 bits");
	narrow.pa_bits = 32;
	scratch->regime = &narrow;
	translates = wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
	scratch->regime = regime;
	configure(wp_unicorn_of(scratch->machine));
	return translates;
}

static bool no_address_size_fault(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "aarch64_low", no_address_size_fault_shows);
}

static void write_ttbr0(const struct wp_scratch *scratch, uint64_t asid)
{
	const uint64_t value = scratch->frame[0] | asid << 48;

	write_register(wp_unicorn_of(scratch->machine), &TTBR0_EL1, value);
	wp_scratch_note("    TTBR0_EL1 = %#" PRIx64, value);
}

static bool global_asid_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	*wp_scratch_last(scratch) = 0;
	write_ttbr0(scratch, 0);
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	write_ttbr0(scratch, 1);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool global_asid(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "aarch64_low", global_asid_shows);
}

static const struct wp_quirk quirks[] = {
	{"a64-l0-block",
         "a block at level 0 is taken for a leaf of 512 GiB; a probe that meets one is not "
         "answered",
         "DDI 0487, D8.3: a Translation fault without FEAT_LPA2", wp_quirk_l0_block},
	{"a64-block-stray-bits",
         "address bits below the size of a block are ORed into the output address; "
         "a probe that meets one is not answered",
         "DDI 0487, D8.3: RES0", block_stray_bits},
	{"a64-no-address-size-fault", "an output address wider than TCR.IPS does not fault",
         "DDI 0487, D8.2", no_address_size_fault},
	{"a64-global-asid",
         "a new ASID in TTBR drops global translations too, so it can't show that one stays",
         "DDI 0487, D8.16: nG=0 matches every ASID", global_asid},
};

const struct wp_unicorn_arch wp_unicorn_aarch64 = {
	.engine_arch = UC_ARCH_ARM64,
	.engine_mode = UC_MODE_ARM,
	.engines = 1,
	.window_end = (uint64_t)1 << 48,
	.stub_pa = STUB_PA,
	.stub_frames = STUB_FRAMES,
	.quirks = quirks,
	.quirk_count = sizeof quirks / sizeof quirks[0],
	.choose_model = choose_model,
	.start = start,
	.configure = configure,
	.set_root = set_root,
	.enter = enter,
	.answerable = answerable,
	.flush_address = flush_address,
};
