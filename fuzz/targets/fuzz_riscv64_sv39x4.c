/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to Sv39x4 tables, the G-stage of a guest, each
 * call returns what the model predicts, and after it query(), the paper machine and, on a
 * sample, QEMU in HS mode with the guest's accesses translate each address that matters
 * as the model says; no flush is missing, the one for a new mapping included, and no
 * frame is lost, the four of a root included.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("riscv64_sv39x4");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
