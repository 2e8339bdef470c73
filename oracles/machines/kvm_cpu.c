/* SPDX-License-Identifier: MIT */
/*
 * The virtual CPU: straight into long mode, on the tested root, with the stub's
 * own tables in the entry that was lent. CR0.WP, EFER.NXE, CR4.SMEP and CR4.PGE
 * are on, SMAP and protection keys off.
 */
#include "kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* SDM vol. 3, 2.5 "Control registers" and 2.2.1 "Extended feature enable register". */
#define CR0_PE   0x00000001u
#define CR0_MP   0x00000002u
#define CR0_ET   0x00000010u
#define CR0_NE   0x00000020u
#define CR0_WP   0x00010000u
#define CR0_PG   0x80000000u
#define CR4_PAE  0x00000020u
#define CR4_PGE  0x00000080u
#define CR4_LA57 0x00001000u
#define CR4_SMEP 0x00100000u
#define EFER_LME 0x00000100u
#define EFER_LMA 0x00000400u
#define EFER_NXE 0x00000800u

/* SDM vol. 3, 4.5.4: P, R/W, U/S, A, D, XD. */
#define TABLE       ((uint64_t)0x27)
#define KERNEL_CODE ((uint64_t)0x61)
#define KERNEL_DATA ((uint64_t)0x63 | (uint64_t)1 << 63)
#define USER_CODE   ((uint64_t)0x65)
#define USER_DATA   ((uint64_t)0x67 | (uint64_t)1 << 63)

/* Pages from vm->base on. */
enum page {
	PAGE_KERNEL_CODE,
	PAGE_USER_CODE,
	PAGE_SYSTEM,
	PAGE_KERNEL_STACK,
	PAGE_USER_STACK,
	PAGE_LIST,
};

/* In the frame WP_KVM_SYSTEM. */
#define GDT_AT 0u
#define IDT_AT 0x100u
#define TSS_AT 0x400u

#define GDT_ENTRIES 7u
#define TSS_SIZE    0x68u

extern const uint8_t wp_kvm_stub_start[], wp_kvm_stub_next[], wp_kvm_stub_enter_user[],
	wp_kvm_stub_doorbell[], wp_kvm_stub_user_end[], wp_kvm_stub_vectors[], wp_kvm_stub_end[];

static uint8_t *frame(const struct wp_kvm *kvm, unsigned index)
{
	return kvm->vm.stub + (size_t)index * WP_FRAME_SIZE;
}

static uint64_t frame_pa(unsigned index)
{
	return WP_KVM_STUB_PA + (uint64_t)index * WP_FRAME_SIZE;
}

static uint64_t page_va(const struct wp_kvm *kvm, enum page page)
{
	return kvm->vm.base + (uint64_t)page * WP_FRAME_SIZE;
}

struct wp_kvm_request *wp_kvm_list(const struct wp_kvm *kvm)
{
	return (struct wp_kvm_request *)(void *)frame(kvm, WP_KVM_LIST);
}

uint64_t wp_kvm_routine(const struct wp_kvm *kvm, enum wp_kvm_privilege privilege,
                        const uint8_t *routine)
{
	const enum page page = privilege == WP_KVM_USER ? PAGE_USER_CODE : PAGE_KERNEL_CODE;

	return page_va(kvm, page) + (uint64_t)(routine - wp_kvm_stub);
}

/* --- what the CPU offers --- */

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == 0)
			return &cpuid->entries[i];
	}
	return NULL;
}

/* SDM vol. 2, "CPUID": leaves 7, 80000001H and 80000008H. */
#define CPUID_7_EBX_SMEP         (1u << 7)
#define CPUID_80000001_EDX_NX    (1u << 20)
#define CPUID_80000001_EDX_PG1GB (1u << 26)

/*
 * SMEP is asked for even if KVM doesn't say that it has it: it may know it all
 * the same, and the self-test finds out. A KVM that walks the tables itself knows
 * any width of physical addresses.
 */
static bool adjust(struct wp_kvm *kvm, struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *features = find(cpuid, 7);
	struct kvm_cpuid_entry2 *extended = find(cpuid, 0x80000001);
	struct kvm_cpuid_entry2 *sizes = find(cpuid, 0x80000008);

	if (features == NULL || extended == NULL || sizes == NULL)
		return false;
	features->ebx |= CPUID_7_EBX_SMEP;
	extended->edx |= CPUID_80000001_EDX_NX;
	if (kvm->walks_itself)
		sizes->eax = (sizes->eax & ~255u) | 52;
	kvm->pa_bits = sizes->eax & 255;
	kvm->gigapages = (extended->edx & CPUID_80000001_EDX_PG1GB) != 0;
	return true;
}

/* What is asked of the host's KVM, to be freed; the machine is told. NULL: errno tells why. */
static struct kvm_cpuid2 *choose_cpuid(int device, struct wp_kvm *kvm)
{
	const uint32_t room = 256;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + room * sizeof cpuid->entries[0]);

	if (cpuid == NULL)
		return NULL;
	cpuid->nent = room;
	if (ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
		if (adjust(kvm, cpuid))
			return cpuid;
		errno = ENOTSUP;
	}
	free(cpuid);
	return NULL;
}

/* --- before the first run --- */

/* SDM vol. 3, 3.4.5: flat segments of long mode, access byte and flags as given. */
static uint64_t descriptor(unsigned access, unsigned flags)
{
	return (uint64_t)access << 40 | (uint64_t)flags << 52 | 0xf00000000ffff;
}

/* Tables of the stub, lowest last; the root's entry leads to the first that there are. */
static void build_tables(const struct wp_kvm *kvm)
{
	uint64_t *lowest = (uint64_t *)(void *)frame(kvm, WP_KVM_TABLES_END - 1);

	for (unsigned i = WP_KVM_TABLES; i + 1 < WP_KVM_TABLES_END; i++)
		*(uint64_t *)(void *)frame(kvm, i) = frame_pa(i + 1) | TABLE;
	lowest[PAGE_KERNEL_CODE] = frame_pa(WP_KVM_CODE) | KERNEL_CODE;
	lowest[PAGE_USER_CODE] = frame_pa(WP_KVM_CODE) | USER_CODE;
	lowest[PAGE_SYSTEM] = frame_pa(WP_KVM_SYSTEM) | KERNEL_DATA;
	lowest[PAGE_KERNEL_STACK] = frame_pa(WP_KVM_KERNEL_STACK) | KERNEL_DATA;
	lowest[PAGE_USER_STACK] = frame_pa(WP_KVM_USER_STACK) | USER_DATA;
	for (unsigned i = WP_KVM_LIST; i < WP_KVM_FRAMES; i++)
		lowest[PAGE_LIST + i - WP_KVM_LIST] = frame_pa(i) | USER_DATA;
}

static void build_segments(const struct wp_kvm *kvm)
{
	uint64_t *gdt = (uint64_t *)(void *)(frame(kvm, WP_KVM_SYSTEM) + GDT_AT);

	gdt[WP_KVM_KERNEL_CODE / 8] = descriptor(0x9b, 0xa);
	gdt[WP_KVM_KERNEL_DATA / 8] = descriptor(0x93, 0xc);
	gdt[WP_KVM_USER_DATA / 8] = descriptor(0xf3, 0xc);
	gdt[WP_KVM_USER_CODE / 8] = descriptor(0xfb, 0xa);
}

const char *wp_kvm_prepare_cpu(struct wp_kvm *kvm)
{
	struct kvm_cpuid2 *cpuid = choose_cpuid(kvm->vm.device, kvm);
	int failed;

	if (cpuid == NULL)
		return "KVM_GET_SUPPORTED_CPUID";
	failed = ioctl(kvm->vm.vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	if (failed != 0)
		return "KVM_SET_CPUID2";
	memset(&kvm->vm.start, 0, sizeof kvm->vm.start);
	if (ioctl(kvm->vm.vcpu, KVM_GET_SREGS, &kvm->vm.start) != 0)
		return "KVM_GET_SREGS";
	memcpy(frame(kvm, WP_KVM_CODE), wp_kvm_stub, (size_t)(wp_kvm_stub_end - wp_kvm_stub));
	build_tables(kvm);
	build_segments(kvm);
	return NULL;
}

/* --- before each batch --- */

/* SDM vol. 3, 6.14.1: interrupt gates; the breakpoint's is the user's too. */
static void build_gates(const struct wp_kvm *kvm)
{
	uint64_t *idt = (uint64_t *)(void *)(frame(kvm, WP_KVM_SYSTEM) + IDT_AT);
	const uint64_t handlers = wp_kvm_routine(kvm, WP_KVM_KERNEL, wp_kvm_stub_vectors);

	for (unsigned i = 0; i < WP_KVM_VECTORS; i++) {
		const uint64_t handler = handlers + (uint64_t)i * WP_KVM_VECTOR_SIZE;
		const uint64_t access = i == WP_KVM_BREAKPOINT ? 0xee : 0x8e;

		idt[i * 2] = (handler & 0xffff) | WP_KVM_KERNEL_CODE << 16 | access << 40 |
		             (handler >> 16 & 0xffff) << 48;
		idt[i * 2 + 1] = handler >> 32;
	}
}

static uint64_t stack_top(const struct wp_kvm *kvm, enum page page)
{
	return page_va(kvm, page) + WP_FRAME_SIZE;
}

/* SDM vol. 3, 7.7: RSP0, for exceptions of the user. */
static void build_task(const struct wp_kvm *kvm)
{
	const uint64_t rsp0 = stack_top(kvm, PAGE_KERNEL_STACK);

	memcpy(frame(kvm, WP_KVM_SYSTEM) + TSS_AT + 4, &rsp0, sizeof rsp0);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){
		.limit = UINT32_MAX,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.l = code,
		.db = !code,
		.g = 1,
	};
}

bool wp_kvm_enter(struct wp_kvm *kvm, unsigned slot)
{
	const unsigned levels = kvm->regime->levels, shift = 12 + 9 * (levels - 1);
	const uint64_t sign = slot >= 256 ? UINT64_MAX << (shift + 9) : 0;
	struct kvm_sregs registers = kvm->vm.start;

	kvm->vm.base = sign | (uint64_t)slot << shift;
	build_gates(kvm);
	build_task(kvm);
	registers.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	registers.cr3 = kvm->root;
	registers.cr4 = CR4_PAE | CR4_PGE | CR4_SMEP | (levels == 5 ? CR4_LA57 : 0);
	registers.efer = EFER_LME | EFER_LMA | EFER_NXE;
	registers.cs = segment(WP_KVM_KERNEL_CODE, 11, true);
	registers.ss = segment(WP_KVM_KERNEL_DATA, 3, false);
	registers.ds = registers.es = registers.fs = registers.gs = registers.ss;
	registers.tr = (struct kvm_segment){
		.base = page_va(kvm, PAGE_SYSTEM) + TSS_AT,
		.limit = TSS_SIZE - 1,
		.selector = WP_KVM_TASK,
		.type = 11,
		.present = 1,
	};
	registers.gdt.base = page_va(kvm, PAGE_SYSTEM) + GDT_AT;
	registers.gdt.limit = GDT_ENTRIES * 8 - 1;
	registers.idt.base = page_va(kvm, PAGE_SYSTEM) + IDT_AT;
	registers.idt.limit = WP_KVM_VECTORS * 16 - 1;
	return ioctl(kvm->vm.vcpu, KVM_SET_SREGS, &registers) == 0;
}

/* CPUID may tell of LA57, and CR4 refuse it. */
bool wp_kvm_knows_five_levels(struct wp_kvm *kvm)
{
	kvm->regime = wp_regime_find("x86_64_la57");
	return wp_kvm_enter(kvm, 0);
}

uint64_t wp_kvm_lent_entry(const struct wp_kvm *kvm)
{
	return frame_pa(WP_KVM_TABLES_END - (kvm->regime->levels - 1u)) | TABLE;
}

/* See the stub on what is in which register. */
bool wp_kvm_set_list(struct wp_kvm *kvm, enum wp_kvm_privilege privilege, size_t first, size_t end)
{
	const bool user = privilege == WP_KVM_USER;
	const uint64_t list = page_va(kvm, PAGE_LIST);
	const struct kvm_regs registers = {
		.rip = wp_kvm_routine(kvm, WP_KVM_KERNEL,
	                              user ? wp_kvm_stub_enter_user : wp_kvm_stub_start),
		.rflags = WP_KVM_RFLAGS,
		.rsp = stack_top(kvm, PAGE_KERNEL_STACK),
		.rbx = list + first * WP_KVM_REQUEST_SIZE,
		.rdi = list + end * WP_KVM_REQUEST_SIZE,
		.r12 = wp_kvm_routine(kvm, privilege,
	                              user ? wp_kvm_stub_user_end : wp_kvm_stub_doorbell),
		.r13 = stack_top(kvm, user ? PAGE_USER_STACK : PAGE_KERNEL_STACK),
		.r14 = wp_kvm_routine(kvm, privilege, wp_kvm_stub_next),
		.r15 = wp_kvm_routine(kvm, privilege, wp_kvm_stub_start),
	};

	return ioctl(kvm->vm.vcpu, KVM_SET_REGS, &registers) == 0;
}

/* Where the stub is during the survey. */
#define SURVEY_SLOT 1u

/* All entries of one root lead to the stub's tables, and the user's code is read there. */
static void build_survey(const struct wp_kvm *kvm)
{
	uint64_t *root = (uint64_t *)(void *)frame(kvm, WP_KVM_SURVEY_ROOT);

	for (unsigned slot = 0; slot < 512; slot++) {
		const uint64_t sign = slot >= 256 ? UINT64_MAX << 48 : 0;

		root[slot] = wp_kvm_lent_entry(kvm);
		wp_kvm_list(kvm)[slot] = (struct wp_kvm_request){
			.va = (sign | (uint64_t)slot << 39) + PAGE_USER_CODE * WP_FRAME_SIZE,
			.routine = wp_kvm_routine(kvm, WP_KVM_USER, wp_kvm_stub_read),
			.outcome = WP_KVM_PENDING,
		};
	}
}

bool wp_kvm_survey(struct wp_kvm *kvm)
{
	const struct wp_regime *regime = kvm->regime;
	const uint64_t root = kvm->root;
	uint64_t outside[512];
	char why[80];

	memset(kvm->refused, 0, sizeof kvm->refused);
	memset(outside, 0xff, sizeof outside);
	kvm->regime = wp_regime_find("x86_64");
	kvm->root = frame_pa(WP_KVM_SURVEY_ROOT);
	kvm->surveyed = wp_kvm_enter(kvm, SURVEY_SLOT);
	build_survey(kvm);
	kvm->surveyed = kvm->surveyed &&
	                wp_kvm_run(kvm, WP_KVM_USER, 0, 512, outside, why, sizeof why);
	for (unsigned slot = 0; slot < 512; slot++) {
		if (wp_kvm_list(kvm)[slot].outcome != WP_KVM_DONE)
			kvm->refused[slot / 64] |= (uint64_t)1 << slot % 64;
	}
	kvm->regime = regime;
	kvm->root = root;
	if (!kvm->surveyed)
		wp_kvm_stop(kvm);
	return kvm->surveyed;
}
