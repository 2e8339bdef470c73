/* SPDX-License-Identifier: MIT */
/* The library as a shared object, which may be told to deviate from the contract. */
#ifndef DEVIANT_H
#define DEVIANT_H

#include <string.h>

#include "library_export.h"

/* Whether that is the deviation that it has. */
int is(const char *name);

/* The leaf that holds `va`; its size is 0 if there is none. */
struct pt_mapping leaf_at(struct wp_exported *t, uint64_t va);

/* Regions: deviant_regions.c. */
wp_status map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                     uint32_t allow_huge);
wp_status unmap_region(void *table, uint64_t va, uint64_t size);
wp_status protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags);

#endif
