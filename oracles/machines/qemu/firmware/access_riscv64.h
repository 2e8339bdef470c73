/* SPDX-License-Identifier: MIT */
/* Accesses on RISC-V: as start_riscv64.S makes them, and as access_riscv64.c asks them. */
#ifndef WP_ACCESS_RISCV64_H
#define WP_ACCESS_RISCV64_H

#include <stdbool.h>

#include "walker.h"

/* RV "Trap Cause Codes". */
enum cause {
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL_FROM_U = 8, /* here: the access went through */
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
	CAUSE_FETCH_GUEST_PAGE = 20,
	CAUSE_LOAD_GUEST_PAGE = 21,
	CAUSE_STORE_GUEST_PAGE = 23,
};

/* Of a fetch: by the kernel. */
#define MSTATUS_SPP ((uint64_t)1 << 8)

struct access {
	uint64_t cause;
	uint64_t value; /* that was read */
};

struct access wp_riscv64_load(uint64_t va);
struct access wp_riscv64_store(uint64_t va, uint64_t byte);
struct access wp_riscv64_user_load(uint64_t va);
struct access wp_riscv64_user_store(uint64_t va, uint64_t byte);
struct access wp_riscv64_load_half(uint64_t va);
struct access wp_riscv64_store_half(uint64_t va, uint64_t half);
struct access wp_riscv64_fetch(uint64_t va, uint64_t spp);

/* Kinds are numbered as in machine.h. */
#define WP_KERNEL_READ 0u
#define WP_USER_READ   3u

static inline bool wp_is_user(unsigned kind)
{
	return kind >= WP_USER_READ;
}

static inline bool wp_is_fetch(unsigned kind)
{
	return kind % 3 == 2;
}

/* Of one kind, for which the CPU is ready; what comes of it is added to the reply. */
void wp_access(struct wp_reply *reply, unsigned kind, uint64_t va);

#endif
