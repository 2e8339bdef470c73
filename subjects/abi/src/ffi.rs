// SPDX-License-Identifier: MIT
//! The structs of `walkproof/subject.h`, field by field. `layout` prints them back as
//! assertions for a C compiler, so that the two can't drift apart.

use std::ffi::{c_char, c_void};

pub const VERSION: u32 = 1;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leaf {
    pub va: u64,
    pub pa: u64,
    pub size: u64,
    pub flags: u32,
    pub uses: u32,
}

#[repr(C)]
pub struct Host {
    pub version: u32,
    pub bytes: u32,
    pub context: *mut c_void,
    pub window_pa: u64,
    pub window_bytes: u64,
    pub window: *mut u8,
    pub alloc: unsafe extern "C" fn(*mut c_void, u64, u64) -> u64,
    pub free: unsafe extern "C" fn(*mut c_void, u64, u64),
    pub stored: unsafe extern "C" fn(*mut c_void, *const c_void, u64, u64),
    pub flush: unsafe extern "C" fn(*mut c_void, u64),
    pub flush_all: unsafe extern "C" fn(*mut c_void),
    pub panicked: unsafe extern "C" fn(*mut c_void, *const c_char),
}

#[repr(C)]
pub struct EntrySeen {
    pub level: u32,
    pub kind: u32,
    pub index: u64,
    pub va: u64,
    pub entry: u64,
    pub leaf: Leaf,
}

pub type EntryVisitor = Option<unsafe extern "C" fn(*mut c_void, *const EntrySeen) -> u32>;
pub type LeafSeen = Option<unsafe extern "C" fn(*mut c_void, *const Leaf)>;
pub type PageOf = unsafe extern "C" fn(*mut c_void, u64) -> u64;

/// `struct wp_subject_calls`: what a shared object exports as `walkproof_subject`.
#[repr(C)]
pub struct SubjectCalls {
    pub version: u32,
    pub bytes: u32,
    pub name: *const c_char,
    pub what: *const c_char,
    pub regimes: *const c_char,
    pub deviations: *const c_char,
    pub offers: u32,
    pub fixed_offset: u64,
    pub create: unsafe extern "C" fn(*const Host, *const c_char) -> *mut c_void,
    pub destroy: unsafe extern "C" fn(*mut c_void) -> u32,
    pub root: unsafe extern "C" fn(*mut c_void) -> u64,
    pub map: unsafe extern "C" fn(*mut c_void, u64, u64, u64, u32) -> u32,
    pub unmap: unsafe extern "C" fn(*mut c_void, u64, *mut Leaf) -> u32,
    pub query: unsafe extern "C" fn(*mut c_void, u64, *mut Leaf) -> u32,
    pub protect: Option<unsafe extern "C" fn(*mut c_void, u64, u32, *mut Leaf) -> u32>,
    pub remap: Option<unsafe extern "C" fn(*mut c_void, u64, u64, u32, *mut Leaf) -> u32>,
    pub map_region: Option<unsafe extern "C" fn(*mut c_void, u64, u64, u64, u32, u32) -> u32>,
    pub map_region_with:
        Option<unsafe extern "C" fn(*mut c_void, u64, PageOf, *mut c_void, u64, u32, u32) -> u32>,
    pub unmap_region: Option<unsafe extern "C" fn(*mut c_void, u64, u64) -> u32>,
    pub protect_region: Option<unsafe extern "C" fn(*mut c_void, u64, u64, u32) -> u32>,
    pub walk:
        Option<unsafe extern "C" fn(*mut c_void, u64, EntryVisitor, EntryVisitor, *mut c_void)>,
    pub copy_from: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, u64, u64) -> u32>,
    pub give_back: Option<unsafe extern "C" fn(*mut c_void, u64, u64) -> u32>,
    pub harvest:
        Option<unsafe extern "C" fn(*mut c_void, u64, u64, u32, LeafSeen, *mut c_void) -> u32>,
    pub unmap_region_with:
        Option<unsafe extern "C" fn(*mut c_void, u64, u64, LeafSeen, *mut c_void) -> u32>,
    pub batch_begin: Option<unsafe extern "C" fn(*mut c_void)>,
    pub batch_end: Option<unsafe extern "C" fn(*mut c_void, u32)>,
    pub fixed_frames: Option<unsafe extern "C" fn(*const c_char) -> u64>,
}

// SAFETY: nothing but constants behind its pointers.
unsafe impl Sync for SubjectCalls {}
