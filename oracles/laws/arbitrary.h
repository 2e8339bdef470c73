/* SPDX-License-Identifier: MIT */
/*
 * L7: for arbitrary memory taken for tables, query() agrees with the CPU, which
 * here is the paper machine; every other machine agrees with the paper, and all of them
 * with each other.
 *
 * A kind is certain if the manual leaves its outcome no freedom (`open`).
 *
 * If a certain kind is allowed, query() must say PT_OK with the machine's
 * physical address, leaf size and, where a flag stands for it, memory type. The
 * flags must mean to the CPU exactly what it does (wp_flags_allowed()), but for
 * what no flag can say:
 *
 * - x86_64, RISC-V, AArch64 EL2: nothing. Whatever tables and leaves add up to,
 *   some flags say it.
 * - AArch64 EL1&0: each privilege has an execute bit of its own. USER is whether
 *   EL0 may read (AP[1], less APTable[0]), EXECUTE is the page's own privilege's
 *   bit. So EL0 may execute a kernel page (UXN = 0), and EL1 a read-only user page
 *   (PXN = 0): the other privilege's execution is not compared.
 * - LoongArch: with RPLV = 1 a PLV3 page is for the user alone. Flags can't deny
 *   the kernel a user page: the kernel has either what the flags say, or nothing.
 *   PLV1 and PLV2 pages are kernel pages, and with RPLV = 1 nobody's.
 *
 * If none is, query() must say that nothing is mapped, that an entry is malformed,
 * or describe a no-access mapping. Where the manual's freedom lets an access
 * through, it may also describe that access's outcome.
 */
#ifndef WP_LAWS_ARBITRARY_H
#define WP_LAWS_ARBITRARY_H

#include "../finding.h"
#include "../machine.h"

/* `mapping` counts with PT_OK only; `paper` must have been asked for all kinds. */
void wp_judge_arbitrary_query(const struct wp_regime *regime, uint64_t va, pt_status status,
                              const struct pt_mapping *mapping, const struct wp_answer *paper,
                              struct wp_finding *finding);

/*
 * Another machine's answer: kinds that both answer and that are certain; if all are
 * denied, and the machine can tell, the reason too.
 */
void wp_judge_arbitrary_answer(uint64_t va, const struct wp_answer *answer, const char *name,
                               const struct wp_answer *paper, struct wp_finding *finding);

/*
 * The same of two CPUs, for what the manual leaves open too: one that makes another choice
 * than the rest is found, to be explained as a quirk.
 */
void wp_judge_arbitrary_pair(uint64_t va, const struct wp_answer *answer, const char *name,
                             const struct wp_answer *other, const char *other_name,
                             struct wp_finding *finding);

#endif
