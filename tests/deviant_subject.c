/* SPDX-License-Identifier: MIT */
/*
 * The library as a shared object; with DEVIANT=NAME in the environment it deviates from the
 * contract in that one way, and with DECLARE=NAMES it says so. (The deviations of mappers
 * that keep tables are those of examples/naive_x86_64.c.)
 */
#include <stdlib.h>

#include "deviant.h"

static const char *deviant = "";

int is(const char *name)
{
	return strcmp(deviant, name) == 0;
}

/* ---- the platform, over the host ---- */

static const struct wp_host *host;
static struct pt_platform platform; /* one for both tables, which may share */

/* While it is quiet stores and flushes aren't reported; then they are told as one. */
static struct {
	int on;
	const void *entry;
	uint64_t before;
} quiet;

static bool alloc_frame(void *context, pt_paddr *frame)
{
	(void)context;
	frame->value = host->alloc(host->context, PT_4K, PT_4K);
	return frame->value != 0;
}

static void free_frame(void *context, pt_paddr frame)
{
	(void)context;
	host->free(host->context, frame.value, PT_4K);
}

static void flush_address(void *context, pt_vaddr va)
{
	(void)context;
	if (!quiet.on)
		host->flush(host->context, va.value);
}

static void flush_all(void *context)
{
	(void)context;
	if (!quiet.on)
		host->flush_all(host->context);
}

static void stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	(void)context;
	if (!quiet.on) {
		host->stored(host->context, entry, before, after);
	} else if (quiet.entry == NULL) {
		quiet.entry = entry;
		quiet.before = before;
	}
}

/* ---- words ---- */

wp_status wp_export_status(pt_status status)
{
	if (status != PT_OK && is("own-status"))
		return WP_FAILED;
	if (status == PT_NO_MEMORY && is("assumes-memory"))
		return WP_OK;
	if (status == PT_MALFORMED && is("trusts-tables"))
		return WP_OK;
	return (wp_status)status; /* the words are numbered alike */
}

static pt_flags flags_of(wp_flags flags)
{
	if (is("no-memory-types"))
		flags &= ~(PT_DEVICE | PT_UNCACHED);
	if (is("no-no-access") && (flags & (PT_READ | PT_WRITE | PT_EXECUTE)) == 0)
		flags |= PT_READ;
	if (is("approximates-flags"))
		flags = (flags & PT_FLAGS_ALL) | (flags & (PT_WRITE | PT_EXECUTE) ? PT_READ : 0);
	if (is("approximates-flags") && (flags & PT_DEVICE))
		flags &= ~PT_UNCACHED;
	return flags;
}

static uint64_t va_of(uint64_t va)
{
	if (is("truncates-addresses"))
		return (uint64_t)((int64_t)(va << 16) >> 16);
	return va;
}

static uint64_t pa_of(uint64_t pa)
{
	return is("truncates-addresses") ? pa & (((uint64_t)1 << 52) - 1) : pa;
}

struct pt_mapping leaf_at(struct wp_exported *t, uint64_t va)
{
	struct pt_mapping mapping = {0};

	pt_query(&t->table, pt_va(va), &mapping);
	return mapping;
}

/* An address in the leaf that an implementation which aligns down means. */
static uint64_t start_of(struct wp_exported *t, uint64_t va)
{
	const uint64_t size = leaf_at(t, va).size;

	return is("aligns-down") ? va & ~((size != 0 ? size : PT_4K) - 1) : va;
}

/* ---- life ---- */

static void *create(const struct wp_host *given, const char *regime)
{
	struct wp_exported *t = calloc(1, sizeof *t);
	const int high = strstr(regime, "_high") != NULL;
	const struct pt_backend *backend = regime[0] == 'x'   ? &pt_x86_64
	                                   : regime[0] == 'a' ? &pt_aarch64
	                                                      : &pt_riscv64_sv39;

	if (t == NULL)
		return NULL;
	host = given;
	platform = (struct pt_platform){
		.alloc_frame = alloc_frame,
		.free_frame = free_frame,
		.direct_first = pt_pa(host->window_pa),
		.direct_size = host->window_bytes,
		.direct_base = host->window,
		.flush_address = flush_address,
		.flush_all = flush_all,
		.stored = stored,
	};
	if (pt_create(&t->table, backend, &platform,
	              regime[0] != 'a' ? PT_WHOLE
	              : high           ? PT_HIGH
	                               : PT_LOW) == PT_OK)
		return t;
	free(t);
	return NULL;
}

/* ---- one leaf ---- */

static wp_status map(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags)
{
	const uint64_t sizes = PT_4K | PT_2M | PT_1G;
	wp_status status;

	if (is("assumes-sizes") && ((size & sizes) == 0 || (size & (size - 1)) != 0))
		size = PT_4K;
	if ((is("no-huge") && size > PT_4K) || (is("no-1g") && size > PT_2M))
		return WP_BAD_SIZE;
	if (is("aligns-down") && (size & sizes) != 0 && (size & (size - 1)) == 0) {
		va &= ~(size - 1);
		pa &= ~(size - 1);
	}
	status = wp_export_map(table, va_of(va), pa_of(pa), size, flags_of(flags));
	if (is("assumes-aligned") && status == WP_NOT_ALIGNED)
		return WP_OK;
	if (is("assumes-unmapped") &&
	    (status == WP_ALREADY_MAPPED || status == WP_MAPPED_TO_HUGE_PAGE))
		return WP_OK;
	return status;
}

static wp_status unmap(void *table, uint64_t va, struct wp_leaf *removed)
{
	const wp_status status = wp_export_unmap(table, start_of(table, va_of(va)), removed);

	return status == WP_NOT_MAPPED && is("assumes-mapped") ? WP_OK : status;
}

static wp_status protect(void *table, uint64_t va, wp_flags flags, struct wp_leaf *replaced)
{
	return wp_export_protect(table, start_of(table, va_of(va)), flags_of(flags), replaced);
}

/* One store where the library makes two, with a flush between them. */
static pt_status remap_at_once(struct wp_exported *t, uint64_t va, uint64_t pa, pt_flags flags,
                               struct pt_mapping *replaced)
{
	pt_status status;

	quiet.on = 1;
	quiet.entry = NULL;
	status = pt_remap(&t->table, pt_va(va), pt_pa(pa), flags, replaced, NULL);
	quiet.on = 0;
	if (quiet.entry == NULL)
		return status;
	host->stored(host->context, quiet.entry, quiet.before, *(const uint64_t *)quiet.entry);
	host->flush(host->context, va);
	return status;
}

static wp_status remap(void *table, uint64_t va, uint64_t pa, wp_flags flags,
                       struct wp_leaf *replaced)
{
	struct wp_exported *t = table;
	struct pt_mapping mapping = {0};

	va = start_of(t, va_of(va));
	if (is("aligns-down"))
		pa &= ~((leaf_at(t, va).size != 0 ? leaf_at(t, va).size : PT_4K) - 1);
	if (is("no-break-before-make"))
		return wp_export_tell(remap_at_once(t, va, pa, flags, &mapping), &mapping,
		                      replaced);
	return wp_export_remap(table, va, pa_of(pa), flags_of(flags), replaced);
}

static wp_status query(void *table, uint64_t va, struct wp_leaf *leaf)
{
	return wp_export_query(table, va_of(va), leaf);
}

/* ---- the subject ---- */

/* Not const as in the header: what it declares is said by the environment. */
static struct wp_subject_calls calls = {
	.version = WP_SUBJECT_VERSION,
	.bytes = sizeof(struct wp_subject_calls),
	.name = "deviant",
	.what = "the library, with what DEVIANT says",
	.regimes = "x86_64 aarch64_low aarch64_high riscv64_sv39",
	.offers = WP_OFFERS_STORES | WP_OFFERS_FLUSHES | WP_OFFERS_USES,
	.create = create,
	.destroy = wp_export_destroy,
	.root = wp_export_root,
	.map = map,
	.unmap = unmap,
	.query = query,
	.protect = protect,
	.remap = remap,
	.map_region = map_region,
	.map_region_with = wp_export_map_region_with,
	.unmap_region = unmap_region,
	.protect_region = protect_region,
	.walk = wp_export_walk,
	.copy_from = wp_export_copy_from,
	.give_back = wp_export_give_back,
	.harvest = wp_export_harvest,
	.unmap_region_with = wp_export_unmap_region_with,
	.batch_begin = wp_export_batch_begin,
	.batch_end = wp_export_batch_end,
};

extern const struct wp_subject_calls walkproof_subject __attribute__((alias("calls")));

__attribute__((constructor)) static void read_environment(void)
{
	const char *const name = getenv("DEVIANT");

	deviant = name != NULL ? name : "";
	calls.deviations = getenv("DECLARE");
	if (deviant[0] == '\0')
		return;
	/* the library's own ways with these are not those of the deviation */
	calls.map_region_with = NULL;
	calls.copy_from = NULL;
	calls.harvest = NULL;
	if (is("no-1g"))
		calls.map_region = NULL;
}
