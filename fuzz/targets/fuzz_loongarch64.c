/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to LoongArch64 tables, low or high half, each
 * call returns what the model predicts, and after it query() and the paper machine
 * (LDDIR, LDPTE, TLBFILL) translate each address that matters as the model says;
 * an empty slot faults whatever lies at address 0, no flush is missing, and no
 * frame is lost.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("loongarch64");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
