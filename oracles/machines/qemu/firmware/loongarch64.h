/* SPDX-License-Identifier: MIT */
/*
 * What the LoongArch walker's C and assembly share, and its host file. Manual:
 * LoongArch Reference Manual vol. 1 (LA).
 */
#ifndef WP_LOONGARCH64_H
#define WP_LOONGARCH64_H

/* LA 7.1: control and status registers. */
#define CSR_CRMD      0x0
#define CSR_PRMD      0x1
#define CSR_ECFG      0x4
#define CSR_ESTAT     0x5
#define CSR_ERA       0x6
#define CSR_BADV      0x7
#define CSR_EENTRY    0xc
#define CSR_TLBIDX    0x10
#define CSR_TLBEHI    0x11
#define CSR_TLBELO0   0x12
#define CSR_TLBELO1   0x13
#define CSR_ASID      0x18
#define CSR_PGDL      0x19
#define CSR_PGDH      0x1a
#define CSR_PGD       0x1b
#define CSR_PWCL      0x1c
#define CSR_PWCH      0x1d
#define CSR_STLBPS    0x1e
#define CSR_PRCFG3    0x23
#define CSR_SAVE0     0x30
#define CSR_TLBRENTRY 0x88
#define CSR_TLBRBADV  0x89
#define CSR_TLBRERA   0x8a
#define CSR_TLBRSAVE  0x8b
#define CSR_TLBRELO0  0x8c
#define CSR_TLBRELO1  0x8d
#define CSR_TLBREHI   0x8e
#define CSR_DMW0      0x180
#define CSR_DMW1      0x181
#define CSR_DMW2      0x182
#define CSR_DMW3      0x183

/* LA 7.4.1 CRMD: which of the two modes of translation. */
#define CRMD_DA 0x8
#define CRMD_PG 0x10

/*
 * Direct windows (LA 5.2.1): the firmware's own, for PLV0 alone, and the one that
 * code at PLV3 runs in.
 */
#define KERNEL_WINDOW 0x9
#define USER_WINDOW   0x8

/* LA 7.4.6: ESTAT.Ecode, with EsubCode above it. */
#define ECODE_PIL  0x1
#define ECODE_PIS  0x2
#define ECODE_PIF  0x3
#define ECODE_PME  0x4
#define ECODE_PNR  0x5
#define ECODE_PNX  0x6
#define ECODE_PPI  0x7
#define ECODE_ADEF 0x8
#define ECODE_ADEM 0x48
#define ECODE_SYS  0xb
#define ECODE_BRK  0xc

/* The layout of tables, LA 5.4.5: 12, 21, 30, 39 and 9 bits each. */
#define PTE_SHIFT  12
#define DIR1_SHIFT 21
#define DIR2_SHIFT 30
#define DIR3_SHIFT 39

/* The TLB's shape: an 8-way STLB of 256 sets, and 64 entries of any page size. */
#define STLB_SETS 256
#define STLB_WAYS 8
#define MTLB_SIZE 64

/* As many refills may one question take; a TLB that takes no entry asks for more. */
#define REFILL_LIMIT 32

/* Where a walk ended, see struct refill. */
#define WALK_LEAF     0
#define WALK_LEFT     1 /* a table isn't in guest memory */
#define WALK_RESERVED 2 /* a huge page in directory 3: of no size */
#define WALK_LOOPS    3 /* over REFILL_LIMIT */

/* Offsets in struct refill. */
#define REFILL_WINDOW      0
#define REFILL_WINDOW_SIZE 8
#define REFILL_COUNT       16
#define REFILL_END         24
#define REFILL_LEVEL       32
#define REFILL_LOW_BITS    40
#define REFILL_PAIR        48 /* struct tlb_pair */
#define REFILL_COMPARED    72
#define REFILL_OTHER_PAIR  80
#define REFILL_DECOY       104
#define REFILL_ENTRY       112
#define REFILL_NEXT_MTLB   120
#define REFILL_ZEROS_AT_0  128
#define REFILL_NEXT_WAY    136
#define REFILL_SIZE        392

/* A TiB where nothing is. */
#define DECOY_SHIFT 40
#define DECOY_FRAME 0x5a

/* mailbox->setting */
#define WP_LA_PGDL        0
#define WP_LA_PGDH        1
#define WP_LA_WINDOW      2
#define WP_LA_WINDOW_SIZE 3
#define WP_LA_FLAGS       4

#define WP_LA_FETCH_HANGS 1 /* one that NX or PLV denies */
#define WP_LA_ZEROS_AT_0  2 /* empty directories lead to a frame of zeros there */

/* mailbox->found */
#define WP_LA_COMPARED    0 /* pairs of LDDIR and LDPTE that were compared */
#define WP_LA_FILLED      1 /* accesses by way of TLBFILL that were */
#define WP_LA_DIFFERENCES 2

/*
 * Trials. WP_LA_LDPTE: a table's entry for WP_LA_LDPTE_VA and its level (0: the page
 * table) give the TLBRELO0, TLBRELO1 and page size that LDDIR and LDPTE make of it.
 * WP_LA_ACCESS: TLBELO0 of an entry (and of both halves, but for G), an address, and
 * how; gives the code, the byte loaded, whether the TLB translates the address, and BADV.
 */
#define WP_LA_LDPTE    1
#define WP_LA_LDPTE_VA 0x2b56789ab000u
#define WP_LA_ACCESS   2

/* How: a kind, and these. Four frames in 16 KiB have the first bytes 1 to 4. */
#define WP_LA_FRESH        0x10  /* all flushed before */
#define WP_LA_OTHER_ASID   0x20  /* looked up in another address space, and not accessed */
#define WP_LA_HELD         0x40  /* the entry isn't written */
#define WP_LA_TO_FRAMES    0x80  /* the entry's address counts from the frames on */
#define WP_LA_VA_OF_FRAMES 0x100 /* so does the address accessed, in a direct window */

/* Codes besides ESTAT's. */
#define CODE_FORMS_DIFFER 0x10000 /* the two refill handlers */
#define CODE_ASTRAY       0x10001 /* a fetch that ended elsewhere */

#endif
