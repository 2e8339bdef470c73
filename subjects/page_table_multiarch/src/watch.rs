// SPDX-License-Identifier: MIT
//! The crate's entries, with a report of each store to one.
//!
//! Stores through set_paddr(), set_flags() and clear() are seen here. The others assign a
//! whole entry, always to one that was looked at just before: whether it holds something
//! else by the time of the next call to any function here says what was stored.

use std::cell::RefCell;
use std::fmt;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use memory_addr::PhysAddr;
use page_table_entry::{GenericPTE, MappingFlags};
use walkproof_subject::host;

/// The entry that was looked at last, and what it held. A campaign has one thread, and what
/// is local to a thread is looked up by a call in a shared object, which would take a tenth
/// of its time.
static SEEN: AtomicPtr<u64> = AtomicPtr::new(null_mut());
static SEEN_TO_HOLD: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TABLE: RefCell<Option<Whole>> = const { RefCell::new(None) };
}

fn see(entry: *const u64, holds: u64) {
    SEEN.store(entry.cast_mut(), Relaxed);
    SEEN_TO_HOLD.store(holds, Relaxed);
}

/// Reports a store to the entry that was looked at last, if there was one.
pub fn settle() {
    let entry = SEEN.load(Relaxed);
    if entry.is_null() {
        return;
    }
    let before = SEEN_TO_HOLD.load(Relaxed);
    // SAFETY: entries lie in the window, which stays readable.
    let after = unsafe { entry.read_volatile() };
    if after != before {
        tell(entry, before, after);
    }
}

/// Between calls, and when frames change hands, entries are nobody's.
pub fn settle_and_forget() {
    settle();
    SEEN.store(null_mut(), Relaxed);
}

/// Tells of a store, and takes the entry for seen as it is then.
fn tell(entry: *const u64, before: u64, after: u64) {
    host().stored(entry, before, after);
    // SAFETY: entries lie in the window, which stays readable; so below.
    see(entry, unsafe { entry.read_volatile() });
    TABLE.with_borrow_mut(|table| {
        if let Some(whole) = table {
            whole.note(entry, after);
        }
    });
}

/// copy_from() also assigns entries that it hasn't looked at: those are found by comparing
/// the table with what it was and what was told of it since.
pub struct Whole {
    table: *const u64,
    told: Box<[u64; 512]>,
}

impl Whole {
    /// From now on, until settle_whole().
    pub fn watch(table: *const u64) {
        let told = Box::new(std::array::from_fn(|i| unsafe { table.add(i).read_volatile() }));
        TABLE.set(Some(Whole { table, told }));
    }

    fn note(&mut self, entry: *const u64, after: u64) {
        let index = (entry as usize).wrapping_sub(self.table as usize) / 8;
        if let Some(told) = self.told.get_mut(index) {
            *told = after;
        }
    }
}

pub fn settle_whole() {
    settle();
    let Some(whole) = TABLE.take() else { return };
    for (i, &before) in whole.told.iter().enumerate() {
        let entry = unsafe { whole.table.add(i) };
        let after = unsafe { entry.read_volatile() };
        if after != before {
            tell(entry, before, after);
        }
    }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Watched<P>(P);

impl<P: GenericPTE> Watched<P> {
    fn address(&self) -> *const u64 {
        (&raw const self.0).cast()
    }

    fn look(&self) -> &P {
        settle();
        if host().holds(self.address()) {
            see(self.address(), self.0.bits() as u64);
        }
        &self.0
    }

    fn change(&mut self, change: impl FnOnce(&mut P)) {
        let before = self.look().bits() as u64;
        change(&mut self.0);
        let entry = self.address();
        if host().holds(entry) {
            tell(entry, before, self.0.bits() as u64);
        }
    }
}

impl<P: GenericPTE> GenericPTE for Watched<P> {
    fn new_page(paddr: PhysAddr, flags: MappingFlags, is_huge: bool) -> Self {
        Watched(P::new_page(paddr, flags, is_huge))
    }

    fn new_table(paddr: PhysAddr) -> Self {
        Watched(P::new_table(paddr))
    }

    fn paddr(&self) -> PhysAddr {
        self.look().paddr()
    }

    fn flags(&self) -> MappingFlags {
        self.look().flags()
    }

    fn set_paddr(&mut self, paddr: PhysAddr) {
        self.change(|entry| entry.set_paddr(paddr));
    }

    fn set_flags(&mut self, flags: MappingFlags, is_huge: bool) {
        self.change(|entry| entry.set_flags(flags, is_huge));
    }

    fn bits(self) -> usize {
        self.0.bits()
    }

    fn is_unused(&self) -> bool {
        self.look().is_unused()
    }

    fn is_present(&self) -> bool {
        self.look().is_present()
    }

    fn is_huge(&self) -> bool {
        self.look().is_huge()
    }

    fn clear(&mut self) {
        self.change(P::clear);
    }
}

impl<P: GenericPTE> fmt::Debug for Watched<P> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}
