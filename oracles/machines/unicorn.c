/* SPDX-License-Identifier: MIT */
/*
 * The Unicorn machine: emulated CPUs that walk the tables in guest memory. No
 * guest code runs for a probe: uc_vmem_translate() is the CPU's own TLB and walk,
 * at the privilege that the engine is parked in.
 *
 * An answer tells what is allowed and where it leads. Why something is denied,
 * Unicorn doesn't tell: `fault`, `level` and `size` are unknown. Should two allowed kinds lead to
 * different places, the first one's is the answer and the other counts as denied,
 * so that the judge sees a difference.
 *
 * On x86_64 and RISC-V a probe sets A and D in the entries it goes through, as a
 * CPU does.
 *
 * Under AddressSanitizer run with detect_stack_use_after_return=0: leaving the
 * emulator is a siglongjmp(), which makes ASan scan its fake stacks each time
 * (open and flush pay for it, probes don't).
 */
#include "unicorn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct wp_unicorn_arch *const archs[WP_ARCHS] = {
	[WP_X86_64] = &wp_unicorn_x86_64,
	[WP_AARCH64] = &wp_unicorn_aarch64,
	[WP_RISCV64] = &wp_unicorn_riscv64,
};

/* How Unicorn is asked for a kind, and how it says no. */
static const struct {
	enum wp_privilege privilege;
	uc_prot prot;
	uc_err denied;
} kinds[WP_KINDS] = {
	[WP_KERNEL_READ] = {WP_KERNEL, UC_PROT_READ, UC_ERR_READ_PROT},
	[WP_KERNEL_WRITE] = {WP_KERNEL, UC_PROT_WRITE, UC_ERR_WRITE_PROT},
	[WP_KERNEL_EXECUTE] = {WP_KERNEL, UC_PROT_EXEC, UC_ERR_FETCH_PROT},
	[WP_USER_READ] = {WP_USER, UC_PROT_READ, UC_ERR_READ_PROT},
	[WP_USER_WRITE] = {WP_USER, UC_PROT_WRITE, UC_ERR_WRITE_PROT},
	[WP_USER_EXECUTE] = {WP_USER, UC_PROT_EXEC, UC_ERR_FETCH_PROT},
};

/*
 * The order within a batch. Kernel first: one change of privilege is enough.
 * Executions first: after a RISC-V supervisor has read a user page in the window,
 * the TLB would let it execute there (rv-s-fetch-after-load).
 */
static const enum wp_kind order[WP_KINDS] = {
	WP_KERNEL_EXECUTE, WP_KERNEL_READ, WP_KERNEL_WRITE,
	WP_USER_EXECUTE,   WP_USER_READ,   WP_USER_WRITE,
};

void wp_unicorn_must(uc_err error, const char *what)
{
	if (error == UC_ERR_OK)
		return;
	fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(error));
	abort();
}

bool wp_unicorn_version_serves(unsigned version, char *why, size_t why_size)
{
	const unsigned major = version >> 24, minor = version >> 16 & 255;
	const unsigned patch = version >> 8 & 255;

	if (version >> 8 >= 0x020104)
		return true;
	snprintf(why, why_size,
	         "Unicorn %u.%u.%u found; it can't translate an address without running guest "
	         "code%s. 2.1.4 or later is needed: run scripts/setup",
	         major, minor, patch,
	         major < 2 || (major == 2 && minor < 1)
	                 ? ", and its x86 walker discards the physical address"
	                 : "");
	return false;
}

/* --- probes --- */

/* The caller has entered the kind's privilege. */
static bool translate(const struct wp_unicorn *unicorn, enum wp_kind kind, uint64_t va,
                      uint64_t *pa)
{
	const uc_err error = uc_vmem_translate(unicorn->engine[kinds[kind].privilege], va,
	                                       kinds[kind].prot, pa);

	if (error == UC_ERR_OK) {
		*pa &= unicorn->pa_mask;
		return true;
	}
	if (error != kinds[kind].denied)
		wp_unicorn_must(error, "uc_vmem_translate");
	return false;
}

void wp_unicorn_flush(struct wp_unicorn *unicorn)
{
	if (unicorn->empty)
		return;
	for (unsigned i = 0; i < unicorn->arch->engines; i++)
		wp_unicorn_must(uc_ctl_flush_tlb(unicorn->engine[i]), "uc_ctl_flush_tlb");
	unicorn->empty = true;
}

/* Which of the probe's kinds are asked for at all. */
static uint8_t answerable(const struct wp_unicorn *unicorn, const struct wp_probe *probe)
{
	const unsigned served = wp_regime_kinds(unicorn->regime);

	/* Not one of the manuals' walks begins, so not one can go wrong. */
	if (!unicorn->machine.incautious && wp_regime_canonical(unicorn->regime, probe->va) &&
	    !unicorn->arch->answerable(unicorn, probe->va))
		return 0;
	return (uint8_t)(probe->kinds & served);
}

static void ask(const struct wp_unicorn *unicorn, enum wp_kind kind, uint64_t va,
                struct wp_answer *answer)
{
	uint64_t pa;

	if (!translate(unicorn, kind, va, &pa))
		return;
	if (answer->allowed == 0)
		answer->pa = pa;
	if (answer->pa == pa)
		answer->allowed |= (uint8_t)(1u << kind);
}

static void ask_all(struct wp_unicorn *unicorn, const struct wp_probe *probes,
                    struct wp_answer *answers, size_t count, uint8_t served)
{
	unsigned wanted = 0;

	assert(unicorn->regime != NULL);
	for (size_t i = 0; i < count; i++) {
		answers[i] = (struct wp_answer){
			.answered = served & answerable(unicorn, &probes[i]),
			.level = 0xff,
			.memory_type = WP_TYPE_UNKNOWN,
		};
		wanted |= answers[i].answered;
	}
	if (wanted != 0)
		unicorn->empty = false;
	for (size_t k = 0; k < WP_KINDS; k++) {
		const enum wp_kind kind = order[k];

		if ((wanted >> kind & 1) == 0)
			continue;
		unicorn->arch->enter(unicorn, kinds[kind].privilege);
		for (size_t i = 0; i < count; i++) {
			if (answers[i].answered >> kind & 1)
				ask(unicorn, kind, probes[i].va, &answers[i]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (answers[i].answered != 0 && answers[i].allowed == 0)
			answers[i].fault = WP_FAULT_UNKNOWN;
	}
}

static void probe(struct wp_machine *machine, const struct wp_probe *probes,
                  struct wp_answer *answers, size_t count)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);

	wp_unicorn_flush(unicorn);
	ask_all(unicorn, probes, answers, count, WP_ALL_KINDS);
}

static void probe_warm(struct wp_machine *machine, const struct wp_probe *probes,
                       struct wp_answer *answers, size_t count)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);
	const uint8_t cold = machine->incautious ? 0 : unicorn->arch->cold_kinds;

	ask_all(unicorn, probes, answers, count, WP_ALL_KINDS & (uint8_t)~cold);
}

/* --- the rest of the machine --- */

static bool supports(const struct wp_machine *machine, const struct wp_regime *regime)
{
	/* no hypervisor extension that a G-stage could be loaded into */
	return regime->arch == machine->arch && !regime->stage_2;
}

static void load(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);

	unicorn->root = root;
	if (unicorn->regime != regime) {
		unicorn->regime = regime;
		unicorn->arch->configure(unicorn);
	}
	unicorn->arch->set_root(unicorn);
	unicorn->empty = true;
}

static void flush(struct wp_machine *machine, const uint64_t *va)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);

	if (va == NULL) {
		wp_unicorn_flush(unicorn);
		return;
	}
	assert(unicorn->regime != NULL);
	unicorn->empty = false; /* the CPU translates the stub */
	for (unsigned i = 0; i < unicorn->arch->engines; i++)
		unicorn->arch->flush_address(unicorn, (enum wp_privilege)i, *va);
}

static void close_machine(struct wp_machine *machine)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);

	for (unsigned i = 0; i < unicorn->arch->engines; i++) {
		if (unicorn->ring0[i] != NULL)
			uc_context_free(unicorn->ring0[i]);
		if (unicorn->saved[i] != NULL)
			uc_context_free(unicorn->saved[i]);
		if (unicorn->engine[i] != NULL)
			uc_close(unicorn->engine[i]);
	}
	free(unicorn->stub);
	free(unicorn);
}

/* An address space with the window and the stub in it, and a CPU ready to be loaded. */
static uc_err open_engine(struct wp_unicorn *unicorn, enum wp_privilege privilege)
{
	const struct wp_unicorn_arch *arch = unicorn->arch;
	const struct wp_memory *memory = unicorn->machine.memory;
	uc_engine **engine = &unicorn->engine[privilege];
	uc_err error = uc_open(arch->engine_arch, arch->engine_mode, engine);

	if (error == UC_ERR_OK)
		error = arch->choose_model(*engine);
	if (error == UC_ERR_OK)
		error = uc_mem_map_ptr(*engine, memory->base, memory->size, UC_PROT_ALL,
		                       memory->host);
	if (error == UC_ERR_OK)
		error = uc_mem_map_ptr(*engine, arch->stub_pa, arch->stub_frames * WP_FRAME_SIZE,
		                       UC_PROT_ALL, unicorn->stub);
	if (error == UC_ERR_OK)
		error = arch->start(unicorn, privilege);
	return error;
}

static bool open_engines(struct wp_unicorn *unicorn, char *why, size_t why_size)
{
	for (unsigned i = 0; i < unicorn->arch->engines; i++) {
		const uc_err error = open_engine(unicorn, (enum wp_privilege)i);

		if (error == UC_ERR_OK)
			continue;
		snprintf(why, why_size, "Unicorn can't open a CPU for %s: %s",
		         wp_arch_name(unicorn->machine.arch), uc_strerror(error));
		return false;
	}
	if (unicorn->arch->engines == 1)
		unicorn->engine[WP_USER] = unicorn->engine[WP_KERNEL];
	return true;
}

/* The window must lie where every address of it can be named, and off the stub. */
static bool window_serves(const struct wp_unicorn_arch *arch, const struct wp_memory *memory,
                          char *why, size_t why_size)
{
	const uint64_t size = memory->size;
	const uint64_t stub_size = arch->stub_frames * WP_FRAME_SIZE;

	if (memory->base <= arch->window_end && size <= arch->window_end - memory->base &&
	    (memory->base + size <= arch->stub_pa || memory->base >= arch->stub_pa + stub_size))
		return true;
	snprintf(why, why_size, "the guest memory window at 0x%llx must end below 0x%llx",
	         (unsigned long long)memory->base,
	         (unsigned long long)(arch->window_end < arch->stub_pa ? arch->window_end
	                                                               : arch->stub_pa));
	return false;
}

static struct wp_unicorn *new_machine(struct wp_memory *memory, enum wp_arch arch, unsigned version)
{
	const size_t stub_size = archs[arch]->stub_frames * WP_FRAME_SIZE;
	struct wp_unicorn *unicorn = calloc(1, sizeof *unicorn);

	if (unicorn == NULL)
		return NULL;
	unicorn->arch = archs[arch];
	unicorn->pa_mask = UINT64_MAX;
	unicorn->machine = (struct wp_machine){
		.name = "unicorn",
		.arch = arch,
		.memory = memory,
		.quirks = archs[arch]->quirks,
		.quirk_count = archs[arch]->quirk_count,
		.records = true,
		.supports = supports,
		.load = load,
		.probe = probe,
		.probe_warm = probe_warm,
		.flush = flush,
		.self_test = wp_machine_self_test,
		.close = close_machine,
	};
	snprintf(unicorn->machine.version, sizeof unicorn->machine.version, "%u.%u.%u",
	         version >> 24, version >> 16 & 255, version >> 8 & 255);
	unicorn->stub = aligned_alloc(WP_FRAME_SIZE, stub_size);
	if (unicorn->stub == NULL) {
		free(unicorn);
		return NULL;
	}
	memset(unicorn->stub, 0, stub_size);
	return unicorn;
}

struct wp_machine *wp_unicorn_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                                   size_t why_size)
{
	const unsigned version = uc_version(NULL, NULL);
	struct wp_unicorn *unicorn;

	if (!wp_unicorn_version_serves(version, why, why_size))
		return NULL;
	if (archs[arch] == NULL) {
		snprintf(why, why_size, "Unicorn has no %s%s", wp_arch_name(arch),
		         arch == WP_LOONGARCH64 ? ": ask QEMU" : "");
		return NULL;
	}
	if (!window_serves(archs[arch], memory, why, why_size))
		return NULL;
	unicorn = new_machine(memory, arch, version);
	if (unicorn == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	if (!open_engines(unicorn, why, why_size)) {
		close_machine(&unicorn->machine);
		return NULL;
	}
	return &unicorn->machine;
}
