// SPDX-License-Identifier: MIT
//! The functions of `struct wp_subject_calls`, for any [`Table`].
#![allow(clippy::missing_safety_doc)] // one SAFETY for all, below

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;

use crate::ffi::{EntrySeen, EntryVisitor, Host, Leaf, PageOf, SubjectCalls, VERSION};
use crate::host::set_host;
use crate::{Flush, Next, Outcome, Refused, Table};

/// An implementation: makes its tables. None: refused for want of memory.
pub trait Subject {
    fn create(regime: &str) -> Option<Box<dyn Table>>;
}

impl SubjectCalls {
    /// The calls that every subject has. More are added as
    /// `SubjectCalls { protect: Some(protect), ..SubjectCalls::of::<S>(...) }`.
    pub const fn of<S: Subject>(
        name: &'static CStr,
        what: &'static CStr,
        regimes: &'static CStr,
    ) -> Self {
        SubjectCalls {
            version: VERSION,
            bytes: size_of::<SubjectCalls>() as u32,
            name: name.as_ptr(),
            what: what.as_ptr(),
            regimes: regimes.as_ptr(),
            deviations: null(),
            offers: 0,
            fixed_offset: 0,
            create: create::<S>,
            destroy,
            root,
            map,
            unmap,
            query,
            protect: None,
            remap: None,
            map_region: None,
            map_region_with: None,
            unmap_region: None,
            protect_region: None,
            walk: None,
            copy_from: None,
            give_back: None,
            harvest: None,
            unmap_region_with: None,
            batch_begin: None,
            batch_end: None,
            fixed_frames: None,
        }
    }
}

// SAFETY, of all that follows: the header's promises. `table` is what create() returned and
// destroy() hasn't taken back; pointers to outputs are valid or null; one thread.

type Handle = Box<dyn Table>;

unsafe fn table_at<'a>(table: *mut c_void) -> &'a mut dyn Table {
    unsafe { (*table.cast::<Handle>()).as_mut() }
}

fn status(outcome: Outcome) -> u32 {
    match outcome {
        Ok(()) => 0,
        Err(refused) => refused as u32,
    }
}

unsafe fn leaf_status(outcome: Outcome<Leaf>, output: *mut Leaf) -> u32 {
    status(outcome.map(|leaf| {
        if let Some(output) = unsafe { output.as_mut() } {
            *output = leaf;
        }
    }))
}

unsafe extern "C" fn create<S: Subject>(host: *const Host, regime: *const c_char) -> *mut c_void {
    set_host(host);
    let regime = unsafe { CStr::from_ptr(regime) }.to_str().expect("names are ASCII");
    match S::create(regime) {
        Some(table) => Box::into_raw(Box::new(table)).cast(),
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn destroy(table: *mut c_void) -> u32 {
    drop(unsafe { Box::from_raw(table.cast::<Handle>()) });
    0
}

unsafe extern "C" fn root(table: *mut c_void) -> u64 {
    unsafe { table_at(table) }.root()
}

unsafe extern "C" fn map(table: *mut c_void, va: u64, pa: u64, size: u64, flags: u32) -> u32 {
    status(unsafe { table_at(table) }.map(va, pa, size, flags))
}

unsafe extern "C" fn unmap(table: *mut c_void, va: u64, removed: *mut Leaf) -> u32 {
    unsafe { leaf_status(table_at(table).unmap(va), removed) }
}

unsafe extern "C" fn query(table: *mut c_void, va: u64, leaf: *mut Leaf) -> u32 {
    unsafe { leaf_status(table_at(table).query(va), leaf) }
}

pub unsafe extern "C" fn protect(
    table: *mut c_void,
    va: u64,
    flags: u32,
    replaced: *mut Leaf,
) -> u32 {
    unsafe { leaf_status(table_at(table).protect(va, flags), replaced) }
}

pub unsafe extern "C" fn remap(
    table: *mut c_void,
    va: u64,
    pa: u64,
    flags: u32,
    replaced: *mut Leaf,
) -> u32 {
    unsafe { leaf_status(table_at(table).remap(va, pa, flags), replaced) }
}

pub unsafe extern "C" fn map_region(
    table: *mut c_void,
    va: u64,
    pa: u64,
    size: u64,
    flags: u32,
    allow_huge: u32,
) -> u32 {
    let page_of = |at: u64| pa.wrapping_add(at.wrapping_sub(va));
    status(unsafe { table_at(table) }.map_region(va, &page_of, size, flags, allow_huge != 0))
}

pub unsafe extern "C" fn map_region_with(
    table: *mut c_void,
    va: u64,
    page: PageOf,
    context: *mut c_void,
    size: u64,
    flags: u32,
    allow_huge: u32,
) -> u32 {
    let page_of = |at: u64| unsafe { page(context, at) };
    status(unsafe { table_at(table) }.map_region(va, &page_of, size, flags, allow_huge != 0))
}

pub unsafe extern "C" fn unmap_region(table: *mut c_void, va: u64, size: u64) -> u32 {
    status(unsafe { table_at(table) }.unmap_region(va, size))
}

pub unsafe extern "C" fn protect_region(table: *mut c_void, va: u64, size: u64, flags: u32) -> u32 {
    status(unsafe { table_at(table) }.protect_region(va, size, flags))
}

unsafe fn visit(
    visitor: EntryVisitor,
    context: *mut c_void,
) -> Option<impl Fn(&EntrySeen) -> Next> {
    visitor.map(|visitor| {
        move |seen: &EntrySeen| match unsafe { visitor(context, seen) } {
            0 => Next::On,
            1 => Next::Skip,
            _ => Next::Stop,
        }
    })
}

pub unsafe extern "C" fn walk(
    table: *mut c_void,
    limit: u64,
    pre: EntryVisitor,
    post: EntryVisitor,
    context: *mut c_void,
) {
    let (pre, post) = unsafe { (visit(pre, context), visit(post, context)) };
    unsafe { table_at(table) }.walk(
        limit,
        pre.as_ref().map(|pre| pre as &dyn Fn(&EntrySeen) -> Next),
        post.as_ref().map(|post| post as &dyn Fn(&EntrySeen) -> Next),
    );
}

pub unsafe extern "C" fn copy_from(
    table: *mut c_void,
    other: *mut c_void,
    va: u64,
    size: u64,
) -> u32 {
    if table == other {
        return Refused::Failed as u32; // safe Rust can't: one is borrowed as mutable
    }
    status(unsafe { table_at(table).copy_from(table_at(other), va, size) })
}

pub unsafe extern "C" fn give_back(table: *mut c_void, va: u64, size: u64) -> u32 {
    status(unsafe { table_at(table) }.give_back(va, size))
}

pub unsafe extern "C" fn batch_begin(table: *mut c_void) {
    unsafe { table_at(table) }.batch_begin()
}

pub unsafe extern "C" fn batch_end(table: *mut c_void, how: u32) {
    unsafe { table_at(table) }.batch_end(match how {
        0 => Flush::Recorded,
        1 => Flush::All,
        _ => Flush::Ignore,
    })
}
