// SPDX-License-Identifier: MIT
//! The entries on the way to one address, with a report of each store to one.
//!
//! The crate asks for the address of each table that it enters, just after it stored the
//! entry that leads there: comparing the entries of the way at these moments says what was
//! stored, in the order in which it was.

use std::cell::RefCell;

use walkproof_subject::host;

struct Path {
    va: u64,
    entries: Vec<(*const u64, u64)>,
}

thread_local! {
    /// None between calls, and while all tables are freed.
    static PATH: RefCell<Option<Path>> = const { RefCell::new(None) };
}

/// A call begins, on this address.
pub fn begin(va: u64, root: *const u64) {
    PATH.set(Some(Path { va, entries: Vec::with_capacity(4) }));
    enter(root);
}

/// The next table on the way.
pub fn enter(table: *const u64) {
    settle();
    PATH.with_borrow_mut(|path| {
        let Some(path) = path else { return };
        let height = 3_usize.saturating_sub(path.entries.len());
        let index = (path.va >> (12 + 9 * height)) as usize & 511;
        // SAFETY: a table of 512 entries in the window, which stays readable; so below.
        let entry = unsafe { table.add(index) };
        if path.entries.iter().all(|&(seen, _)| seen != entry) {
            path.entries.push((entry, unsafe { entry.read_volatile() }));
        }
    });
}

/// Reports the stores to the entries of the way since they were last compared.
pub fn settle() {
    let Some(mut path) = PATH.take() else { return };
    for (entry, before) in &mut path.entries {
        let after = unsafe { entry.read_volatile() };
        if after != *before {
            host().stored(*entry, *before, after);
            *before = unsafe { entry.read_volatile() };
        }
    }
    PATH.set(Some(path));
}

/// The call is over.
pub fn end() {
    settle();
    PATH.set(None);
}
