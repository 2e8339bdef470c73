/* SPDX-License-Identifier: MIT */
/* What the stub in the virtual machine and the host agree on; read by assembler too. */
#ifndef WP_KVM_STUB_H
#define WP_KVM_STUB_H

/* struct wp_kvm_request */
#define WP_KVM_VA           0
#define WP_KVM_ROUTINE      8
#define WP_KVM_OUTCOME      16
#define WP_KVM_ERROR        24
#define WP_KVM_CR2          32
#define WP_KVM_VALUE        40
#define WP_KVM_REQUEST_SIZE 64

/* Outcomes that are no exception's vector. */
#define WP_KVM_DONE    0x100
#define WP_KVM_PENDING 0x101
#define WP_KVM_FAILED  0x102 /* there is nothing to tell */

/* SDM vol. 3, 6.15: exceptions that push an error code. */
#define WP_KVM_VECTORS         32
#define WP_KVM_VECTOR_SIZE     16
#define WP_KVM_WITH_ERROR_CODE 0x60227d00
#define WP_KVM_BREAKPOINT      3

/* Selectors. */
#define WP_KVM_KERNEL_CODE 0x08
#define WP_KVM_KERNEL_DATA 0x10
#define WP_KVM_TASK        0x18 /* two entries */
#define WP_KVM_USER_DATA   0x2b
#define WP_KVM_USER_CODE   0x33

#define WP_KVM_RFLAGS   2
#define WP_KVM_DOORBELL 0x10 /* a port */

#endif
