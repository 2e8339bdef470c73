/* SPDX-License-Identifier: MIT */
#include "naive_x86_64.h"
#include <walkproof/subject.h>

static const struct wp_host *host; /* instead of a kernel */
uint64_t page_alloc(void) { return host->alloc(host->context, 4096, 4096); }
void page_free(uint64_t pa) { host->free(host->context, pa, 4096); }
uint64_t *phys_to_virt(uint64_t pa) { return (void *)(host->window + (pa - host->window_pa)); }
void invlpg(uint64_t va) { host->flush(host->context, va); }

/* A table is whatever create() returns: here, what goes into CR3. */
static void *create(const struct wp_host *h, const char *regime) { return (void)regime, host = h, (void *)new_table(); }
static wp_status destroy(void *t) { return free_tables((uint64_t)t, 3), WP_OK; }
static uint64_t root(void *t) { return (uint64_t)t; }
static wp_status map_page(void *t, uint64_t va, uint64_t pa, uint64_t size, wp_flags f)
{
	if (size > 0x200000)
		return WP_BAD_SIZE;
	return map((uint64_t)t, va, pa, size == 0x200000, !!(f & WP_WRITE), !!(f & WP_USER), !!(f & WP_EXECUTE)) ? WP_FAILED : WP_OK;
}
static wp_status query(void *t, uint64_t va, struct wp_leaf *leaf)
{
	uint64_t entry = lookup((uint64_t)t, va), size = entry & 0x80 ? 0x200000 : 0x1000;
	leaf->va = va;
	leaf->pa = (entry & 0x000ffffffffff000 & ~(size - 1)) + va % size;
	leaf->size = size;
	leaf->flags = WP_READ | (entry & 2 ? WP_WRITE : 0) | (entry & 4 ? WP_USER : 0) | (entry >> 63 ? 0 : WP_EXECUTE);
	return entry ? WP_OK : WP_NOT_MAPPED;
}
static wp_status unmap_page(void *t, uint64_t va, struct wp_leaf *removed)
{
	wp_status status = query(t, va, removed);
	return status == WP_OK && unmap((uint64_t)t, va) ? WP_FAILED : status;
}
const struct wp_subject_calls walkproof_subject = {.version = WP_SUBJECT_VERSION, .bytes = sizeof walkproof_subject,
	.name = "naive", .regimes = "x86_64", .offers = WP_OFFERS_FLUSHES,
	.deviations = "no-1g no-reclaim partial-tables own-status no-no-access no-memory-types "
		"truncates-addresses assumes-aligned assumes-sizes approximates-flags trusts-tables",
	.create = create, .destroy = destroy, .root = root, .map = map_page, .unmap = unmap_page, .query = query};
