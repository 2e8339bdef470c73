/* SPDX-License-Identifier: MIT */
#include "machine.h"

const char *wp_kind_name(enum wp_kind kind)
{
	static const char *const names[WP_KINDS] = {
		[WP_KERNEL_READ] = "kernel read",       [WP_KERNEL_WRITE] = "kernel write",
		[WP_KERNEL_EXECUTE] = "kernel execute", [WP_USER_READ] = "user read",
		[WP_USER_WRITE] = "user write",         [WP_USER_EXECUTE] = "user execute",
	};
	return (unsigned)kind < WP_KINDS ? names[kind] : "unknown kind";
}

const char *wp_fault_name(enum wp_fault fault)
{
	static const char *const names[WP_FAULTS] = {
		[WP_FAULT_NONE] = "none",
		[WP_FAULT_ADDRESS] = "address",
		[WP_FAULT_NOT_PRESENT] = "not present",
		[WP_FAULT_RESERVED] = "reserved",
		[WP_FAULT_ADDRESS_SIZE] = "address size",
		[WP_FAULT_ACCESS_FLAG] = "access flag",
		[WP_FAULT_BUS] = "bus",
		[WP_FAULT_UNKNOWN] = "fault",
		[WP_FAULT_PERMISSION] = "permission",
	};
	return (unsigned)fault < WP_FAULTS ? names[fault] : "unknown fault";
}

const char *wp_memory_type_name(enum wp_memory_type type)
{
	static const char *const names[] = {
		[WP_TYPE_UNKNOWN] = "unknown", [WP_TYPE_NORMAL] = "normal",
		[WP_TYPE_DEVICE] = "device",   [WP_TYPE_UNCACHED] = "uncached",
		[WP_TYPE_OTHER] = "other",
	};
	return (unsigned)type <= WP_TYPE_OTHER ? names[type] : "unknown type";
}
