/* SPDX-License-Identifier: MIT */
/* The guest as the CPU runs it: AMD's SVM (APM vol. 2, chapter 15). */
#ifndef WP_SVM_X86_64_H
#define WP_SVM_X86_64_H

#include <stdbool.h>
#include <stdint.h>

/* Why the guest was left (APM vol. 2, 15.6). */
struct svm_exit {
	uint64_t code, info1, info2;
};

/* SVM and the walker's own exceptions, every one of which is the end. */
void svm_start(uint64_t nested_root);

/* The tested root, and where it maps the guest. */
void svm_place(uint64_t cr3, bool la57, uint64_t stub);

/* From the job at hand on, without what the TLB held. */
struct svm_exit svm_run(void);

#endif
