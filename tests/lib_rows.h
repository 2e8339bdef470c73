/* SPDX-License-Identifier: MIT */
/* The backends that the library is tested over, and their properties, written down by hand. */
#ifndef LIB_ROWS_H
#define LIB_ROWS_H

#include <walkproof/pt.h>

extern const struct pt_backend pt_fake;
extern const struct pt_backend pt_fake_narrow;

struct row {
	const struct pt_backend *backend;
	enum pt_half half;
	uint64_t va;    /* in this half; starts a root slot, and two more follow */
	uint64_t dirty; /* what new frames are full of: a page that the CPU would use */
	uint16_t root_slots;
	uint8_t levels, root_shift, large_shift, page_shift, root_frames, fixed_frames, entry_bytes;
	bool breaks;        /* before make */
	bool remembers;     /* that an entry was invalid */
	bool all_for_table; /* flushes by address don't reach tables */
	bool hole_frame;
	bool one_privilege;
	bool read_with_execute; /* EXECUTE needs READ */
	bool write_alone;       /* WRITE doesn't need READ */
};

#define X86                                                                                        \
	.dirty = 0x12345067, .root_slots = 512, .page_shift = 12, .large_shift = 21,               \
	.root_frames = 1, .fixed_frames = 1, .entry_bytes = 8, .read_with_execute = true
#define A64                                                                                        \
	.dirty = 0x12345707, .root_slots = 512, .page_shift = 12, .levels = 4, .root_shift = 39,   \
	.large_shift = 21, .root_frames = 1, .fixed_frames = 1, .entry_bytes = 8, .breaks = true,  \
	.read_with_execute = true
#define A64_64K                                                                                    \
	.dirty = 0x12340707, .root_slots = 64, .page_shift = 16, .levels = 3, .root_shift = 42,    \
	.large_shift = 29, .root_frames = 1, .fixed_frames = 1, .entry_bytes = 8, .breaks = true,  \
	.read_with_execute = true
#define RV                                                                                         \
	.dirty = 0x12345u << 10 | 0xcf, .root_slots = 512, .page_shift = 12, .large_shift = 21,    \
	.root_frames = 1, .fixed_frames = 1, .entry_bytes = 8, .remembers = true,                  \
	.all_for_table = true
#define LA                                                                                         \
	.dirty = 0x12345193, .root_slots = 512, .page_shift = 12, .levels = 4, .root_shift = 39,   \
	.large_shift = 21, .root_frames = 1, .fixed_frames = 2, .entry_bytes = 8, .breaks = true,  \
	.remembers = true, .hole_frame = true, .write_alone = true
#define EPT                                                                                        \
	.dirty = 0x123450b7, .root_slots = 512, .page_shift = 12, .levels = 4, .root_shift = 39,   \
	.large_shift = 21, .root_frames = 1, .fixed_frames = 1, .entry_bytes = 8,                  \
	.one_privilege = true
#define FAKE                                                                                       \
	.dirty = 0x12345c30, .root_slots = 2048, .page_shift = 12, .levels = 3, .root_shift = 29,  \
	.large_shift = 20, .breaks = true

static const struct row rows[] = {
	{&pt_x86_64, PT_WHOLE, 0xffff800000000000, .levels = 4, .root_shift = 39, X86},
	{&pt_x86_64_la57, PT_WHOLE, 0x0010000000000000, .levels = 5, .root_shift = 48, X86},
	{&pt_aarch64, PT_LOW, 0x0000800000000000, A64},
	{&pt_aarch64, PT_HIGH, 0xffff000000000000, A64},
	{&pt_aarch64_el2, PT_LOW, 0, A64, .one_privilege = true},
	{&pt_riscv64_sv39, PT_WHOLE, 0xffffffc000000000, .levels = 3, .root_shift = 30, RV},
	{&pt_riscv64_sv48, PT_WHOLE, 0, .levels = 4, .root_shift = 39, RV},
	{&pt_riscv64_sv57, PT_WHOLE, 0xff00000000000000, .levels = 5, .root_shift = 48, RV},
	{&pt_riscv64_sv39_svpbmt, PT_WHOLE, 0, .levels = 3, .root_shift = 30, RV},
	{&pt_riscv64_sv48_xuantie, PT_WHOLE, 0, .levels = 4, .root_shift = 39, RV},
	{&pt_loongarch64, PT_LOW, 0, LA},
	{&pt_loongarch64, PT_HIGH, 0xffff800000000000, LA},
	{&pt_x86_ept, PT_LOW, 0x0000800000000000, EPT},
	{&pt_riscv64_sv39x4, PT_LOW, 0x0000010000000000, .dirty = 0x12345u << 10 | 0xdf,
         .root_slots = 2048, .page_shift = 12, .levels = 3, .root_shift = 30, .large_shift = 21,
         .root_frames = 4, .fixed_frames = 4, .entry_bytes = 8, .remembers = true,
         .all_for_table = true, .one_privilege = true},
	{&pt_aarch64_64k, PT_LOW, 0x0000800000000000, A64_64K},
	{&pt_aarch64_64k, PT_HIGH, 0xffff000000000000, A64_64K},
	{&pt_fake, PT_LOW, 0, FAKE, .root_frames = 4, .fixed_frames = 4, .entry_bytes = 8,
         .all_for_table = true},
	{&pt_fake_narrow, PT_HIGH, 0xffffff0000000000, FAKE, .root_frames = 2, .fixed_frames = 3,
         .entry_bytes = 4, .remembers = true, .hole_frame = true},
};

#endif
