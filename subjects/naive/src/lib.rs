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
    tables: Vec<u64>, // the root first
}

fn store(entry: *mut u64, value: u64) {
    // SAFETY, here and below: all entries come from entry_of(), which takes them from tables.
    let before = unsafe { entry.read() };
    unsafe { entry.write_volatile(value) };
    host().stored(entry, before, value);
}

fn entry_of(table: u64, va: u64, shift: u32) -> *mut u64 {
    unsafe { host().table(table).add((va >> shift) as usize & 511) }
}

impl Naive {
    fn new_table(&mut self) -> Outcome<u64> {
        let pa = host().alloc(4096, 4096).ok_or(Refused::NoMemory)?;
        unsafe { host().table(pa).write_bytes(0, 512) };
        self.tables.push(pa);
        Ok(pa)
    }

    /// The entry of `va` in the last table; tables are made on the way there if `create`.
    fn slot(&mut self, va: u64, create: bool) -> Outcome<*mut u64> {
        let mut table = self.tables[0];
        for shift in [39, 30, 21] {
            let entry = entry_of(table, va, shift);
            if unsafe { *entry } == 0 && !create {
                return Err(Refused::NotMapped);
            } else if unsafe { *entry } == 0 {
                store(entry, self.new_table()? | PRESENT | WRITABLE | USER);
            }
            table = unsafe { *entry } & ADDRESS;
        }
        Ok(entry_of(table, va, 12))
    }
}

impl Table for Naive {
    fn root(&self) -> u64 {
        self.tables[0]
    }

    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome {
        if size != 4096 {
            return Err(Refused::BadSize);
        }
        let entry = self.slot(va, true)?;
        if unsafe { *entry } != 0 {
            return Err(Refused::AlreadyMapped);
        }
        let when = |set: bool, bit: u64| if set { bit } else { 0 };
        let rights = when(flags & wp::WRITE != 0, WRITABLE) | when(flags & wp::USER != 0, USER);
        store(entry, pa | rights | when(flags & wp::EXECUTE == 0, NO_EXECUTE) | PRESENT);
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
        if entry == 0 {
            return Err(Refused::NotMapped);
        }
        let when = |set: bool, flag: u32| if set { flag } else { 0 };
        let rights = when(entry & WRITABLE != 0, wp::WRITE) | when(entry & USER != 0, wp::USER);
        let flags = wp::READ | rights | when(entry & NO_EXECUTE == 0, wp::EXECUTE);
        Ok(Leaf { va, pa: entry & ADDRESS | va & 0xfff, size: 4096, flags, uses: 0 })
    }
}

impl Drop for Naive {
    fn drop(&mut self) {
        host().flush_all();
        self.tables.iter().for_each(|&table| host().free(table, 4096));
    }
}

impl Subject for Naive {
    fn create(_regime: &str) -> Option<Box<dyn Table>> {
        let mut table = Naive { tables: Vec::new() };
        table.new_table().ok()?;
        Some(Box::new(table))
    }
}

#[unsafe(no_mangle)]
pub static walkproof_subject: SubjectCalls = SubjectCalls {
    offers: wp::OFFERS_STORES | wp::OFFERS_FLUSHES,
    ..SubjectCalls::of::<Naive>(c"naive_rust", c"a page table in an afternoon", c"x86_64")
};
