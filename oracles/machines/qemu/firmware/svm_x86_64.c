/* SPDX-License-Identifier: MIT */
#include "guest_x86_64.h"
#include "svm_x86_64.h"

/* --- the VMCB (APM, appendix B) --- */

struct segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercept_registers[2];
	uint32_t intercept_exceptions;
	uint32_t intercept[2];
	uint8_t unused1[0x58 - 0x14];
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t interrupts[2];
	uint64_t exit_code, exit_info1, exit_info2, exit_interrupt;
	uint64_t nested_paging;
	uint8_t unused2[0xb0 - 0x98];
	uint64_t nested_cr3;
	uint8_t unused3[0x400 - 0xb8];
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t unused4[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t unused5;
	uint64_t efer;
	uint8_t unused6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t unused7[0x5d8 - 0x580];
	uint64_t rsp, unused8[3], rax;
	uint8_t unused9[0x640 - 0x600];
	uint64_t cr2;
	uint8_t unused10[0x668 - 0x648];
	uint64_t pat;
	uint8_t unused11[0x1000 - 0x670];
};
_Static_assert(offsetof(struct vmcb, asid) == 0x58, "as in the manual");
_Static_assert(offsetof(struct vmcb, nested_cr3) == 0xb0, "as in the manual");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "as in the manual");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "as in the manual");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "as in the manual");
_Static_assert(sizeof(struct vmcb) == 0x1000, "as in the manual");

#define INTERCEPT_SHUTDOWN (1u << 31)
#define INTERCEPT_VMRUN    1u
#define INTERCEPT_VMMCALL  2u

/* Exceptions that the guest takes itself. */
#define BREAKPOINT         3u
#define GENERAL_PROTECTION 13u
#define PAGE_FAULT         14u

#define CODE_64BIT 0x29bu /* present, accessed */
#define DATA       0xc93u
#define TSS        0x08bu

#define CR0_PG_WP_ET_PE       0x80010011u
#define CR4_PGE_PAE           0xa0u
#define CR4_LA57              0x1000u
#define CR4_SMEP              0x100000u
#define EFER_SVME_NXE_LMA_LME 0x1d00u
#define RFLAGS_FIXED          2u
#define DR6_FIXED             0xffff0ff0u
#define DR7_FIXED             0x400u
#define PAT_AT_RESET          0x0007040600070406u
#define MSR_VM_HSAVE_PA       0xc0010117u

#define FRAME 4096u

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint64_t placed; /* where the guest is mapped */

extern const uint8_t wp_x86_64_vectors[];
void wp_x86_64_run(uint64_t vmcb);
_Noreturn void wp_x86_64_panic(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2);

static uint64_t address_of(const volatile void *object)
{
	return (uint64_t)(uintptr_t)object;
}

/* --- the walker's own exceptions --- */

#define GATE          ((uint64_t)0x8e00 << 32)
#define GATE_FOR_USER ((uint64_t)0xee00 << 32)
#define VECTORS       22u
#define VECTOR_SIZE   16u
#define CODE_SELECTOR 0x18u

void wp_x86_64_panic(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2)
{
	struct wp_mailbox *mailbox = walker_mailbox();

	mailbox->panic[1] = rip;
	mailbox->panic[2] = error;
	mailbox->panic[3] = cr2;
	__atomic_store_n(&mailbox->panic[0], vector + 1, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("hlt");
}

static void set_gate(uint64_t *gates, unsigned vector, uint64_t at, uint64_t flags,
                     uint64_t selector)
{
	gates[2 * vector] = (at & 0xffff) | selector << 16 | flags | (at >> 16 & 0xffff) << 48;
	gates[2 * vector + 1] = at >> 32;
}

static void set_up_exceptions(void)
{
	static uint64_t gates[2 * VECTORS] __attribute__((aligned(16)));
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idt = {sizeof gates - 1, address_of(gates)};

	for (unsigned i = 0; i < VECTORS; i++)
		set_gate(gates, i, address_of(wp_x86_64_vectors) + i * VECTOR_SIZE, GATE,
		         CODE_SELECTOR);
	__asm__ volatile("lidt %0" : : "m"(idt));
}

/* --- the guest --- */

#define CODE_SEGMENT 0x00af9b000000ffffu
#define USER_DATA    0x00cff3000000ffffu
#define USER_CODE    0x00affb000000ffffu

/* Gates name handlers by address, which the lent root entry decides. */
static void set_guest_gate(unsigned vector, const uint8_t *handler, uint64_t flags)
{
	set_gate(guest_data.gates, vector, placed + (uint64_t)(handler - guest_code), flags,
	         GUEST_CODE_SELECTOR);
}

static void place_guest(void)
{
	const uint64_t data = placed + GUEST_DATA * FRAME, stack = data + FRAME;

	set_guest_gate(BREAKPOINT, guest_breakpoint, GATE_FOR_USER);
	set_guest_gate(GENERAL_PROTECTION, guest_general_protection, GATE);
	set_guest_gate(PAGE_FAULT, guest_page_fault, GATE);
	/* RSP0, at 4 */
	guest_data.tss[1] = (uint32_t)stack;
	guest_data.tss[2] = (uint32_t)(stack >> 32);
	vmcb.gdtr.base = data + offsetof(struct guest_data, gdt);
	vmcb.idtr.base = data + offsetof(struct guest_data, gates);
	vmcb.tr.base = data + offsetof(struct guest_data, tss);
	/* TR is not among what VMRUN loads (APM 15.5.2) */
	__asm__ volatile("vmload %%rax" : : "a"(&vmcb) : "memory");
}

void svm_place(uint64_t cr3, bool la57, uint64_t stub)
{
	vmcb.cr3 = cr3;
	vmcb.cr4 = CR4_PGE_PAE | CR4_SMEP | (la57 ? CR4_LA57 : 0);
	if (placed == stub)
		return;
	placed = stub;
	place_guest();
}

struct svm_exit svm_run(void)
{
	vmcb.rip = placed;
	vmcb.cpl = 0;
	vmcb.rflags = RFLAGS_FIXED;
	vmcb.cs = (struct segment){GUEST_CODE_SELECTOR, CODE_64BIT, 0xffffffff, 0};
	vmcb.ss = (struct segment){0, DATA, 0xffffffff, 0};
	wp_x86_64_run(address_of(&vmcb));
	return (struct svm_exit){vmcb.exit_code, vmcb.exit_info1, vmcb.exit_info2};
}

/* --- start --- */

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void svm_start(uint64_t nested_root)
{
	set_up_exceptions();
	write_msr(MSR_VM_HSAVE_PA, address_of(host_save));
	guest_data.gdt[GUEST_CODE_SELECTOR / 8] = CODE_SEGMENT;
	guest_data.gdt[GUEST_USER_DATA_SELECTOR / 8] = USER_DATA;
	guest_data.gdt[GUEST_USER_CODE_SELECTOR / 8] = USER_CODE;
	vmcb = (struct vmcb){
		.intercept_exceptions = ~(1u << BREAKPOINT | 1u << GENERAL_PROTECTION |
	                                  1u << PAGE_FAULT),
		.intercept = {INTERCEPT_SHUTDOWN, INTERCEPT_VMRUN | INTERCEPT_VMMCALL},
		.asid = 1,
		.tlb_control = 1, /* all of it (APM 15.16.2) */
		.nested_paging = 1,
		.nested_cr3 = nested_root,
		.gdtr = {.limit = sizeof guest_data.gdt - 1},
		.idtr = {.limit = sizeof guest_data.gates - 1},
		.tr = {GUEST_TSS_SELECTOR, TSS, sizeof guest_data.tss - 1, 0},
		.efer = EFER_SVME_NXE_LMA_LME,
		.cr0 = CR0_PG_WP_ET_PE,
		.dr6 = DR6_FIXED,
		.dr7 = DR7_FIXED,
		.rflags = RFLAGS_FIXED,
		.pat = PAT_AT_RESET,
	};
}
