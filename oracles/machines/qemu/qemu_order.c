/* SPDX-License-Identifier: MIT */
/*
 * One order at a time, given to a QEMU that is started for it if need be; what a QEMU
 * that dies of one leaves behind in guest memory is put right.
 */
#include "qemu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the firmware had replaced in guest memory as it died. */
static void restore_patch(struct wp_qemu *qemu, const struct wp_mailbox *mailbox)
{
	uint8_t *bytes;
	size_t count;

	if (mailbox->patched_bytes == 0 || mailbox->patched_bytes > sizeof mailbox->patched_saved)
		return;
	count = (size_t)mailbox->patched_bytes;
	bytes = wp_memory_at(qemu->machine.memory, mailbox->patched_pa, count);
	if (bytes != NULL)
		memcpy(bytes, &mailbox->patched_saved, count);
}

bool wp_qemu_is_running(const struct wp_qemu_process *process)
{
	return process->pid > 0 && process->owner == getpid();
}

struct wp_qemu_process *wp_qemu_ready(struct wp_qemu *qemu)
{
	struct wp_qemu_process *process = &qemu->processes[qemu->model];
	char why[400];

	if (wp_qemu_is_running(process))
		return process;
	if (qemu->broken)
		return NULL;
	if (!wp_qemu_start(qemu, qemu->model, why, sizeof why)) {
		fprintf(stderr, "no answers from QEMU from now on: %s\n", why);
		qemu->broken = true;
		return NULL;
	}
	snprintf(qemu->machine.version, sizeof qemu->machine.version, "%s", process->version);
	qemu->stale = false;
	if (qemu->arch->examine != NULL && (qemu->examined >> qemu->model & 1) == 0) {
		qemu->examined |= 1u << qemu->model;
		qemu->arch->examine(qemu);
	}
	/* one that died of being examined isn't again */
	return wp_qemu_is_running(process) ? process : wp_qemu_ready(qemu);
}

enum wp_qemu_end wp_qemu_give(struct wp_qemu *qemu, struct wp_qemu_process *process,
                              enum wp_order order)
{
	enum wp_qemu_end end;

	process->mailbox->order = order;
	qemu->arch->set(qemu, process->mailbox->setting);
	end = wp_qemu_exchange(process);
	if (end != WP_QEMU_DONE)
		restore_patch(qemu, process->mailbox);
	return end;
}

bool wp_qemu_trial(struct wp_qemu *qemu, const uint64_t parameters[4], uint64_t outcome[8])
{
	struct wp_qemu_process *process = wp_qemu_ready(qemu);

	if (process == NULL)
		return false;
	memcpy(process->mailbox->parameter, parameters, sizeof process->mailbox->parameter);
	if (wp_qemu_give(qemu, process, WP_ORDER_TRIAL) != WP_QEMU_DONE)
		return false;
	memcpy(outcome, process->mailbox->outcome, sizeof process->mailbox->outcome);
	return true;
}
