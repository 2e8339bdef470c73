/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a program does to Sv48 tables, plain, with Svpbmt or with
 * XuanTie attributes, each call returns what the model predicts, and after it
 * query(), the paper machine and, at the end of the program, Unicorn in S and U
 * translate each address that matters as the model says; no flush is missing, the
 * one for a new mapping included, and no frame is lost.
 */
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	wp_target_open("riscv64_sv48");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	wp_target_run(bytes, size);
	return 0;
}
