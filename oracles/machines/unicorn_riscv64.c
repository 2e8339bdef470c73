/* SPDX-License-Identifier: MIT */
/*
 * RISC-V on Unicorn: one hart, moved between U and S for probes and to M, which
 * is untranslated, for flushes.
 *
 * Unicorn knows neither Svpbmt nor the XuanTie attributes, and faults on no bit
 * above 53: it shifts them into the physical address, from bit 56 on. Where the
 * regime gives a leaf's bits a meaning, an answer's address is cut to 56 bits and
 * holds; where it doesn't, there is no answer.
 */
#include "unicorn.h"

#include <inttypes.h>
#include <string.h>

#define V         ((uint64_t)1 << 0)
#define R         ((uint64_t)1 << 1)
#define W         ((uint64_t)1 << 2)
#define X         ((uint64_t)1 << 3)
#define U         ((uint64_t)1 << 4)
#define A         ((uint64_t)1 << 6)
#define D         ((uint64_t)1 << 7)
#define ABOVE_PPN ((uint64_t)0x3ff << 54)
#define PPN       (~ABOVE_PPN & ~(uint64_t)0x3ff)
#define PBMT      ((uint64_t)3 << 61)
#define XUANTIE   ((uint64_t)0x1f << 59)
#define PA_MASK   (((uint64_t)1 << 56) - 1)

/* No address that a table can name: those have 56 bits. M runs there untranslated. */
#define STUB_PA     ((uint64_t)1 << 56)
#define STUB_FRAMES 1
static const uint32_t stub[] = {
	0x12058073, /* sfence.vma a1, zero */
	0x10500073, /* wfi */
};

#define MSTATUS_SUM ((uint64_t)1 << 18)

enum {
	PRIV_U = 0,
	PRIV_S = 1,
	PRIV_M = 3,
};

static void write_register(const struct wp_unicorn *unicorn, int id, uint64_t value)
{
	wp_unicorn_must(uc_reg_write(unicorn->engine[WP_KERNEL], id, &value), "register");
}

static uc_err choose_model(uc_engine *engine)
{
	(void)engine; /* the default one has Sv39, Sv48 and Sv57 */
	return UC_ERR_OK;
}

static uc_err start(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	(void)privilege;
	memcpy(unicorn->stub, stub, sizeof stub);
	return UC_ERR_OK;
}

/* CSRs can be written in M only. */
static void configure(struct wp_unicorn *unicorn)
{
	write_register(unicorn, UC_RISCV_REG_PRIV, PRIV_M);
	write_register(unicorn, UC_RISCV_REG_MSTATUS, MSTATUS_SUM);
	unicorn->pa_mask = unicorn->regime->attributes == WP_ATTR_SOFTWARE ? UINT64_MAX : PA_MASK;
}

static void set_root(struct wp_unicorn *unicorn)
{
	const uint64_t mode = unicorn->regime->levels + 5u; /* Sv39: 8, Sv48: 9, Sv57: 10 */

	write_register(unicorn, UC_RISCV_REG_PRIV, PRIV_M);
	write_register(unicorn, UC_RISCV_REG_SATP, mode << 60 | unicorn->root >> 12);
	unicorn->empty = false;
	wp_unicorn_flush(unicorn);
}

static void enter(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	write_register(unicorn, UC_RISCV_REG_PRIV, privilege == WP_USER ? PRIV_U : PRIV_S);
}

static void flush_address(struct wp_unicorn *unicorn, enum wp_privilege privilege, uint64_t va)
{
	write_register(unicorn, UC_RISCV_REG_PRIV, PRIV_M);
	write_register(unicorn, UC_RISCV_REG_X11, va);
	wp_unicorn_must(uc_emu_start(unicorn->engine[privilege], STUB_PA, 0, 0, 0), "SFENCE.VMA");
}

/* Whether the regime gives the bits above the PPN of this leaf a meaning. */
static bool attributes_known(const struct wp_regime *regime, uint64_t leaf)
{
	switch (regime->attributes) {
	case WP_ATTR_SVPBMT:
		return (leaf & ABOVE_PPN & ~PBMT) == 0 && (leaf & PBMT) != PBMT;
	case WP_ATTR_XUANTIE:
		return (leaf & ABOVE_PPN & ~XUANTIE) == 0;
	case WP_ATTR_SOFTWARE:
	default:
		return (leaf & ABOVE_PPN) == 0;
	}
}

/*
 * Whether the leaf is larger than a 32-bit host's Unicorn can shift: it makes the mask of a
 * leaf's page numbers as a long, and those of 256 TiB have 36 bits.
 */
static bool outgrows_long(const struct wp_regime *regime, unsigned level)
{
	return sizeof(long) < sizeof(uint64_t) && regime->levels == 5 && level == 0;
}

/*
 * Privileged ISA, "Virtual Address Translation Process": reserved bits fault. A
 * pointer in the last level faults whatever its bits are, and so does W without R.
 */
static enum wp_entry classify(const struct wp_regime *regime, unsigned level, uint64_t entry,
                              uint64_t *next)
{
	const bool last = level + 1 == regime->levels;

	if ((entry & V) == 0 || (entry & (R | W)) == W)
		return WP_ENTRY_END;
	if ((entry & (R | X)) != 0)
		return attributes_known(regime, entry) && !outgrows_long(regime, level)
		               ? WP_ENTRY_END
		               : WP_ENTRY_QUIRK;
	if (last)
		return WP_ENTRY_END;
	if ((entry & (ABOVE_PPN | U | A | D)) != 0)
		return WP_ENTRY_QUIRK;
	*next = (entry & PPN) << 2;
	return WP_ENTRY_TABLE;
}

static bool answerable(const struct wp_unicorn *unicorn, uint64_t va)
{
	return wp_unicorn_walk(unicorn, va, classify);
}

/* --- quirks --- */

#define PAGE ((uint64_t)0x55 << 48) /* no RAM */

static bool leaf_high_bits_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	for (unsigned bit = 54; bit < 64; bit++) {
		const uint64_t leaked = bit < 62 ? (uint64_t)1 << (bit + 2) : 0;

		wp_scratch_map(scratch, PAGE, PT_READ);
		*wp_scratch_last(scratch) |= (uint64_t)1 << bit;
		if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) || pa != (PAGE | leaked))
			return false;
	}
	return true;
}

static bool leaf_high_bits(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", leaf_high_bits_shows);
}

static bool nonleaf_uad_shows(struct wp_scratch *scratch)
{
	static const uint64_t reserved[] = {U, A, D};
	uint64_t pa;

	wp_scratch_map(scratch, PAGE, PT_READ);
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
		*scratch->entry[1] = wp_scratch_table_entry(scratch, scratch->frame[2]) |
		                     reserved[i];
		if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
			return false;
	}
	return true;
}

static bool nonleaf_uad(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", nonleaf_uad_shows);
}

/* Bits 62 and 63 of a pointer are ignored; 54 to 61 move it. */
static bool nonleaf_high_bits_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, PAGE, PT_READ);
	for (unsigned bit = 54; bit < 64; bit++) {
		*scratch->entry[1] = wp_scratch_table_entry(scratch, scratch->frame[2]) |
		                     (uint64_t)1 << bit;
		if (wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) != (bit >= 62))
			return false;
	}
	return true;
}

static bool nonleaf_high_bits(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", nonleaf_high_bits_shows);
}

static bool svadu_shows(struct wp_scratch *scratch)
{
	uint64_t *leaf = wp_scratch_last(scratch);
	uint64_t pa;

	wp_scratch_map(scratch, PAGE, PT_READ | PT_WRITE);
	*leaf &= ~(A | D);
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) || (*leaf & (A | D)) != A)
		return false;
	return wp_scratch_translate(scratch, WP_KERNEL_WRITE, &pa) && (*leaf & (A | D)) == (A | D);
}

static bool svadu(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", svadu_shows);
}

static bool fetch_after_load_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ | PT_EXECUTE | PT_USER);
	if (wp_scratch_translate(scratch, WP_KERNEL_EXECUTE, &pa))
		return false;
	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) &&
	       wp_scratch_translate(scratch, WP_KERNEL_EXECUTE, &pa);
}

static bool fetch_after_load(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", fetch_after_load_shows);
}

static bool sfence_flushes_all_shows(struct wp_scratch *scratch)
{
	const uint64_t other = scratch->va + PT_1G + 7 * PT_4K;
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	if (!wp_scratch_is_kept(scratch))
		return false;
	flush_address(wp_unicorn_of(scratch->machine), WP_KERNEL, other);
	wp_scratch_note("    SFENCE.VMA of %#" PRIx64, other);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool sfence_flushes_all(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", sfence_flushes_all_shows);
}

static const struct wp_quirk quirks[] = {
	{"rv-leaf-high-bits-leak",
         "bits 54 to 61 of a leaf appear as bits 56 to 63 of the physical address, and 62 and 63 "
         "are ignored; a probe that meets one is answered only where the regime defines the bit "
         "(Svpbmt 61 and 62 but not both, XuanTie 59 to 63), with the address cut to 56 bits",
         "Privileged ISA, \"Sv39\": reserved, page fault", leaf_high_bits},
	{"rv-nonleaf-high-bits",
         "bits 54 to 61 of a pointer move the table, and 62 and 63 are ignored; a probe that meets "
         "one is not answered",
         "Privileged ISA, \"Sv39\": reserved, page fault", nonleaf_high_bits},
	{"rv-nonleaf-uad",
         "U, A and D are accepted in a pointer; a probe that meets one is not answered",
         "Privileged ISA, \"Sv39\": reserved, page fault", nonleaf_uad},
	{"rv-svadu", "the hart sets A and D itself, and can't be made to fault instead (Svade)",
         "Privileged ISA, \"Svadu\": only with menvcfg.ADUE", svadu},
	{"rv-s-fetch-after-load",
         "after a supervisor read of a user page in the window, a supervisor may execute there "
         "until a flush; probes ask for executions first",
         "Privileged ISA, \"sstatus\": never, whatever SUM is", fetch_after_load},
	{"rv-sfence-va-flushes-all",
         "SFENCE.VMA with an address drops every translation: it can't show a wrong address",
         "Privileged ISA, \"Supervisor Memory-Management Fence\": allowed", sfence_flushes_all},
};

const struct wp_unicorn_arch wp_unicorn_riscv64 = {
	.engine_arch = UC_ARCH_RISCV,
	.engine_mode = UC_MODE_RISCV64,
	.engines = 1,
	.window_end = STUB_PA,
	.stub_pa = STUB_PA,
	.stub_frames = STUB_FRAMES,
	.cold_kinds = 1u << WP_KERNEL_EXECUTE, /* rv-s-fetch-after-load */
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
