/* SPDX-License-Identifier: MIT */
/*
 * The KVM machine: long mode in a virtual machine whose CR3 is the tested root.
 * Every kind is an access that its CPU makes. What walks is the silicon with
 * kvm_intel or kvm_amd, and KVM's own walker otherwise: the version tells.
 *
 * Each batch starts with a flush. A and D are set in the entries that it goes
 * through.
 */
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kvm_batch.h"
#include "scratch.h"

static bool supports(const struct wp_machine *machine, const struct wp_regime *regime)
{
	const struct wp_kvm *kvm = (const struct wp_kvm *)machine;

	return regime->arch == WP_X86_64 && (regime->levels == 4 || kvm->five_levels);
}

/* Every batch starts with a flush. */
static void load(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	struct wp_kvm *kvm = wp_kvm_of(machine);

	kvm->regime = regime;
	kvm->root = root & (((uint64_t)1 << 52) - WP_FRAME_SIZE); /* what CR3 takes for it */
}

static void flush(struct wp_machine *machine, const uint64_t *va)
{
	struct wp_kvm *kvm = wp_kvm_of(machine);

	(void)va; /* it isn't worth less */
	if (kvm->vm.started && kvm->vm.owner == getpid())
		wp_kvm_flush(kvm);
}

static bool self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                      size_t why_size)
{
	return wp_kvm_start(wp_kvm_of(machine), why, why_size) &&
	       wp_machine_self_test(machine, regime, why, why_size);
}

static void close_machine(struct wp_machine *machine)
{
	struct wp_kvm *kvm = wp_kvm_of(machine);

	wp_kvm_stop(kvm);
	free(kvm->tables);
	free(kvm->batch);
	free(kvm);
}

/* --- opening --- */

/* Which module KVM runs on, and the parameter that says whether the CPU walks. */
static const struct {
	const char *name;
	const char *parameter;
} modules[] = {
	{"kvm_intel", "ept"},
	{"kvm_amd", "npt"},
	{"kvm_pvm", NULL},
};

static bool parameter_is_set(const char *module, const char *parameter)
{
	char path[96];
	FILE *file;
	int value;

	snprintf(path, sizeof path, "/sys/module/%s/parameters/%s", module, parameter);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	value = fgetc(file);
	fclose(file);
	return value == 'Y' || value == '1';
}

/* Only the first two are silicon, and only if they are used to the full. */
static void name_host(struct wp_kvm *kvm)
{
	const char *name = "kvm", *walker = "";
	struct utsname host;

	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
		char path[64];

		snprintf(path, sizeof path, "/sys/module/%s", modules[i].name);
		if (access(path, F_OK) != 0)
			continue;
		name = modules[i].name;
		kvm->pvm = modules[i].parameter == NULL;
		kvm->walks_itself = kvm->pvm || !parameter_is_set(name, modules[i].parameter);
		if (kvm->walks_itself && !kvm->pvm)
			walker = " without nested paging";
		break;
	}
	if (uname(&host) != 0)
		host.release[0] = '\0';
	snprintf(kvm->machine.version, sizeof kvm->machine.version, "%s%s, Linux %.24s", name,
	         walker, host.release);
}

/* Whether there is a KVM that makes virtual machines: one is made, and not kept. */
static bool host_serves(struct wp_kvm *kvm, char *why, size_t why_size)
{
	const int device = open(wp_kvm_device, O_RDWR | O_CLOEXEC);

	if (device < 0) {
		snprintf(why, why_size, "KVM can't be used: %s: %s%s", wp_kvm_device,
		         strerror(errno),
		         errno == EACCES || errno == EPERM
		                 ? "; the user must be in the group that owns it"
		                 : "");
		return false;
	}
	close(device);
	if (!wp_kvm_start(kvm, why, why_size))
		return false;
	kvm->five_levels = wp_kvm_knows_five_levels(kvm);
	kvm->regime = NULL;
	wp_kvm_stop(kvm);
	return true;
}

/* The window must lie where KVM has room for it, and off the stub. */
static bool window_serves(const struct wp_memory *memory, char *why, size_t why_size)
{
	const uint64_t end = memory->base + memory->size;

	if (end <= WP_KVM_STUB_PA || memory->base >= WP_KVM_STUB_END)
		return true;
	snprintf(why, why_size,
	         "the guest memory window at 0x%llx must end below 0x%llx, or be beyond it",
	         (unsigned long long)memory->base, (unsigned long long)WP_KVM_STUB_PA);
	return false;
}

static struct wp_kvm *new_machine(struct wp_memory *memory)
{
	struct wp_kvm *kvm = calloc(1, sizeof *kvm);

	if (kvm == NULL)
		return NULL;
	kvm->machine = (struct wp_machine){
		.name = "kvm",
		.slow = true,
		.arch = WP_X86_64,
		.memory = memory,
		.supports = supports,
		.load = load,
		.probe = wp_kvm_probe,
		.flush = flush,
		.self_test = self_test,
		.close = close_machine,
	};
	kvm->patience = 10000;
	kvm->vm = (struct wp_kvm_vm){.device = -1, .vm = -1, .vcpu = -1};
	kvm->batch = calloc(1, sizeof *kvm->batch);
	kvm->tables = calloc(memory->frames / 64 + 1, sizeof *kvm->tables);
	if (kvm->batch != NULL && kvm->tables != NULL)
		return kvm;
	close_machine(&kvm->machine);
	return NULL;
}

struct wp_machine *wp_kvm_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                               size_t why_size)
{
	struct wp_kvm *kvm;

	if (arch != WP_X86_64) {
		snprintf(why, why_size, "KVM on this host runs x86_64, not %s", wp_arch_name(arch));
		return NULL;
	}
	kvm = new_machine(memory);
	if (kvm == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	name_host(kvm);
	if (!window_serves(memory, why, why_size) || !host_serves(kvm, why, why_size)) {
		close_machine(&kvm->machine);
		return NULL;
	}
	wp_kvm_list_quirks(kvm);
	return &kvm->machine;
}
