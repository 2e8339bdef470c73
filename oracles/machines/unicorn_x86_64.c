/* SPDX-License-Identifier: MIT */
/*
 * x86_64 on Unicorn: two CPUs that share the window, one in ring 0 and one parked
 * in ring 3. A host can write every control register, but not CPL; sysretq gets
 * there without a descriptor table.
 */
#include "unicorn.h"

#include <inttypes.h>
#include <string.h>

#include "quirks_shared.h"

#define P             ((uint64_t)1 << 0)
#define RW            ((uint64_t)1 << 1)
#define US            ((uint64_t)1 << 2)
#define A             ((uint64_t)1 << 5)
#define D             ((uint64_t)1 << 6)
#define PS            ((uint64_t)1 << 7)
#define G             ((uint64_t)1 << 8)
#define XD            ((uint64_t)1 << 63)
#define ADDRESS       0x000ffffffffff000u
#define ABOVE_40_BITS 0x000fff0000000000u

#define CR0_PG_WP_ET_PE      0x80010011u
#define CR4_OSFXSR_PGE_PAE   0x2a0u
#define CR4_LA57             0x1000u
#define CR4_SMEP             0x100000u
#define MSR_EFER             0xc0000080u
#define MSR_STAR             0xc0000081u
#define EFER_NXE_LMA_LME_SCE 0xd01u
#define STAR_USER_SEGMENTS   ((uint64_t)0x10 << 48)
#define RFLAGS_FIXED         2u

/*
 * The stub: a frame of code, then its own four tables. Every address that Unicorn
 * can have in a table entry is below 2^40, so this one can be named too, and a
 * walk into it is not asked for (wp_unicorn_walk()).
 */
#define STUB_FRAMES 5
#define STUB_PA     (((uint64_t)1 << 40) - STUB_FRAMES * WP_FRAME_SIZE)
#define STUB_ROOT   (STUB_PA + WP_FRAME_SIZE)
#define STUB_VA     0x00005ffffffff000u
static const uint8_t stub[] = {
	0x48, 0x0f, 0x07, /* sysretq */
	0x0f, 0x01, 0x3b, /* invlpg [rbx] */
	0xf4,             /* hlt */
};
enum {
	STUB_SYSRET = 0,
	STUB_INVLPG = 3,
	STUB_HLT = 6,
};

static uc_err write_register(uc_engine *engine, int id, uint64_t value)
{
	return uc_reg_write(engine, id, &value);
}

static uc_err write_msr(uc_engine *engine, uint32_t id, uint64_t value)
{
	uc_x86_msr msr = {.rid = id, .value = value};

	return uc_reg_write(engine, UC_X86_REG_MSR, &msr);
}

/* Others ignore SMAP, which the regime has off, but a CPU should have all there is. */
static uc_err choose_model(uc_engine *engine)
{
	return uc_ctl_set_cpu_model(engine, UC_CPU_X86_ICELAKE_SERVER);
}

static void write_stub(uint8_t *frames)
{
	memcpy(frames, stub, sizeof stub);
	for (unsigned level = 0; level < 4; level++) {
		uint64_t *table = (uint64_t *)(void *)(frames + (1 + level) * WP_FRAME_SIZE);
		const uint64_t next = level == 3 ? STUB_PA
		                                 : STUB_ROOT + (1 + level) * WP_FRAME_SIZE;

		table[STUB_VA >> (39 - 9 * level) & 511] = next | P | RW | US | A | D;
	}
}

/* RCX is where to go, R11 the flags; one instruction is run and none there. */
static uc_err drop_to_ring3(uc_engine *engine)
{
	uc_err error = write_register(engine, UC_X86_REG_RCX, STUB_VA + STUB_HLT);

	if (error == UC_ERR_OK)
		error = write_register(engine, UC_X86_REG_R11, RFLAGS_FIXED);
	if (error == UC_ERR_OK)
		error = uc_emu_start(engine, STUB_VA + STUB_SYSRET, 0, 0, 1);
	return error;
}

static uc_err start(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	uc_engine *engine = unicorn->engine[privilege];
	const struct {
		int id;
		uint64_t value;
	} registers[] = {
		/* PAE before PG; no SMEP, as ring 0 runs a page that ring 3 must run too. */
		{UC_X86_REG_CR4, CR4_OSFXSR_PGE_PAE},
		{UC_X86_REG_CR3, STUB_ROOT},
		{UC_X86_REG_CR0, CR0_PG_WP_ET_PE},
	};
	uc_err error = write_msr(engine, MSR_EFER, EFER_NXE_LMA_LME_SCE);

	write_stub(unicorn->stub);
	if (error == UC_ERR_OK)
		error = write_msr(engine, MSR_STAR, STAR_USER_SEGMENTS);
	for (size_t i = 0; i < sizeof registers / sizeof registers[0] && error == UC_ERR_OK; i++)
		error = write_register(engine, registers[i].id, registers[i].value);
	if (error == UC_ERR_OK)
		error = uc_context_alloc(engine, &unicorn->ring0[privilege]);
	if (error == UC_ERR_OK)
		error = uc_context_alloc(engine, &unicorn->saved[privilege]);
	if (error == UC_ERR_OK)
		error = uc_context_save(engine, unicorn->ring0[privilege]);
	if (error == UC_ERR_OK && privilege == WP_USER)
		error = drop_to_ring3(engine);
	return error;
}

static void configure(struct wp_unicorn *unicorn)
{
	const uint64_t cr4 = CR4_SMEP | CR4_OSFXSR_PGE_PAE |
	                     (unicorn->regime->levels == 5 ? CR4_LA57 : 0);

	for (int i = 0; i < WP_PRIVILEGES; i++)
		wp_unicorn_must(write_register(unicorn->engine[i], UC_X86_REG_CR4, cr4), "CR4");
}

/* Each write drops the whole TLB (x86-global-cr3). */
static void set_root(struct wp_unicorn *unicorn)
{
	for (int i = 0; i < WP_PRIVILEGES; i++)
		wp_unicorn_must(write_register(unicorn->engine[i], UC_X86_REG_CR3, unicorn->root),
		                "CR3");
}

static void enter(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	(void)unicorn; /* each engine stays in its ring */
	(void)privilege;
}

/*
 * Under the stub's own tables, for which there is no flush: neither restoring a
 * context nor leaving it drops anything from the TLB but what INVLPG does.
 */
static void flush_address(struct wp_unicorn *unicorn, enum wp_privilege privilege, uint64_t va)
{
	uc_engine *engine = unicorn->engine[privilege];
	uc_context *saved = unicorn->saved[privilege];

	wp_unicorn_must(uc_context_save(engine, saved), "save");
	wp_unicorn_must(uc_context_restore(engine, unicorn->ring0[privilege]), "restore");
	wp_unicorn_must(write_register(engine, UC_X86_REG_RBX, va), "RBX");
	wp_unicorn_must(uc_emu_start(engine, STUB_VA + STUB_INVLPG, 0, 0, 0), "INVLPG");
	wp_unicorn_must(uc_context_restore(engine, saved), "restore");
}

/* SDM vol. 3, 4.5.4: PS is reserved above level 3, which Unicorn knows. */
static enum wp_entry classify(const struct wp_regime *regime, unsigned level, uint64_t entry,
                              uint64_t *next)
{
	if ((entry & P) == 0)
		return WP_ENTRY_END;
	if ((entry & ABOVE_40_BITS) != 0)
		return WP_ENTRY_QUIRK;
	if (level + 1 == regime->levels || (entry & PS) != 0)
		return WP_ENTRY_END;
	*next = entry & ADDRESS;
	return WP_ENTRY_TABLE;
}

static bool answerable(const struct wp_unicorn *unicorn, uint64_t va)
{
	return wp_unicorn_walk(unicorn, va, classify);
}

/* --- quirks --- */

#define PAGE 0x89abcd000u /* outside of any window: no RAM */

static bool pa40_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	for (unsigned bit = 40; bit < 52; bit++) {
		wp_scratch_map(scratch, PAGE | (uint64_t)1 << bit, PT_READ);
		if (wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
			return false;
	}
	wp_scratch_map(scratch, PAGE | (uint64_t)1 << 39, PT_READ);
	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool pa40(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", pa40_shows);
}

static bool wild_table_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	*scratch->entry[2] = wp_scratch_table_entry(scratch, PAGE);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool wild_table(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", wild_table_shows);
}

static bool global_cr3_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	*wp_scratch_last(scratch) |= G;
	if (!wp_scratch_is_kept(scratch))
		return false;
	set_root(wp_unicorn_of(scratch->machine));
	wp_scratch_note("    CR3 = %#" PRIx64, scratch->frame[0]);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool global_cr3(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", global_cr3_shows);
}

static const struct wp_quirk quirks[] = {
	{"x86-pa40",
         "MAXPHYADDR is fixed at 40: address bits 40 to 51 of a present entry are reserved; "
         "a probe that meets one is not answered",
         "SDM vol. 3, 4.1.4: up to 52", pa40},
	{"x86-wild-table",
         "a table outside of memory reads as zeros, so it is a hole and no bus error",
         "SDM vol. 3, 4.6: what is not memory has no defined contents", wild_table},
	{"x86-1g-accessed",
         "a 1 GiB leaf gets its A bit although the access is denied; a 2 MiB leaf doesn't",
         "SDM vol. 3, 4.8", wp_quirk_1g_accessed},
	{"x86-global-cr3",
         "a write to CR3 drops global translations too, so it can't show that one stays",
         "SDM vol. 3, 4.10.4.1: all but global ones", global_cr3},
};

const struct wp_unicorn_arch wp_unicorn_x86_64 = {
	.engine_arch = UC_ARCH_X86,
	.engine_mode = UC_MODE_64,
	.engines = WP_PRIVILEGES,
	.window_end = STUB_PA,
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
