// SPDX-License-Identifier: MIT
//! A page table for x86_64 as one writes it in an afternoon: three calls, 4 KiB pages, and
//! every table stays until the end. `walkproof check` tells what that leaves to be desired.

use walkproof_subject as wp;
use walkproof_subject::{Leaf, Outcome, Refused, Subject, SubjectCalls, Table, host};

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

struct Naive {
    root: u64,
}

fn new_table() -> Option<u64> {
    let pa = host().alloc(4096, 4096)?;
    // SAFETY: a frame of 512 entries that nobody else has.
    unsafe { host().table(pa).write_bytes(0, 512) };
    Some(pa)
}

fn store(entry: *mut u64, value: u64) {
    // SAFETY: all entries come from slot(), which takes them from tables.
    let before = unsafe { entry.read() };
    unsafe { entry.write_volatile(value) };
    host().stored(entry, before, value);
}

impl Naive {
    /// The slot of `va` in the last table; tables are made on the way there if `create`.
    fn slot(&self, va: u64, create: bool) -> Outcome<*mut u64> {
        let mut table = self.root;
        for shift in [39, 30, 21] {
            // SAFETY: the index is below 512, here and at the end.
            let entry = unsafe { host().table(table).add((va >> shift) as usize & 511) };
            if unsafe { *entry } & PRESENT == 0 {
                if !create {
                    return Err(Refused::NotMapped);
                }
                store(
                    entry,
                    new_table().ok_or(Refused::NoMemory)? | PRESENT | WRITABLE | USER,
                );
            }
            table = unsafe { *entry } & ADDRESS;
        }
        Ok(unsafe { host().table(table).add((va >> 12) as usize & 511) })
    }

    fn free_tables(table: u64, height: u32) {
        for i in (0..512).filter(|_| height > 0) {
            let entry = unsafe { *host().table(table).add(i) };
            if entry & PRESENT != 0 {
                Self::free_tables(entry & ADDRESS, height - 1);
            }
        }
        host().free(table, 4096);
    }
}

impl Drop for Naive {
    fn drop(&mut self) {
        host().flush_all();
        Self::free_tables(self.root, 3);
    }
}

impl Table for Naive {
    fn root(&self) -> u64 {
        self.root
    }

    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome {
        if size != 4096 {
            return Err(Refused::BadSize);
        }
        let entry = self.slot(va, true)?;
        if unsafe { *entry } != 0 {
            return Err(Refused::AlreadyMapped);
        }
        let allows = |flag: u32, bit: u64| if flags & flag != 0 { bit } else { 0 };
        let rights = allows(wp::WRITE, WRITABLE) | allows(wp::USER, USER);
        let no_execute = if flags & wp::EXECUTE == 0 {
            NO_EXECUTE
        } else {
            0
        };
        store(entry, pa | rights | no_execute | PRESENT);
        Ok(())
    }

    fn unmap(&mut self, va: u64) -> Outcome<Leaf> {
        let removed = self.query(va)?;
        store(self.slot(va, false)?, 0);
        host().flush(va);
        Ok(removed)
    }

    fn query(&mut self, va: u64) -> Outcome<Leaf> {
        let entry = unsafe { *self.slot(va, false)? };
        if entry & PRESENT == 0 {
            return Err(Refused::NotMapped);
        }
        let allows = |bit: u64, flag: u32| if entry & bit != 0 { flag } else { 0 };
        let execute = if entry & NO_EXECUTE == 0 {
            wp::EXECUTE
        } else {
            0
        };
        let flags = wp::READ | allows(WRITABLE, wp::WRITE) | allows(USER, wp::USER) | execute;
        Ok(Leaf {
            va,
            pa: entry & ADDRESS | va & 0xfff,
            size: 4096,
            flags,
            uses: 0,
        })
    }
}

impl Subject for Naive {
    fn create(_regime: &str) -> Option<Box<dyn Table>> {
        Some(Box::new(Naive { root: new_table()? }))
    }
}

#[unsafe(no_mangle)]
pub static walkproof_subject: SubjectCalls = SubjectCalls {
    offers: wp::OFFERS_STORES | wp::OFFERS_FLUSHES,
    ..SubjectCalls::of::<Naive>(c"naive_rust", c"a page table in an afternoon", c"x86_64")
};
