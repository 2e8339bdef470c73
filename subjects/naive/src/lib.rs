// SPDX-License-Identifier: MIT
//! A page table for x86_64 as one writes it in an afternoon: three calls, 4 KiB pages, and
//! every table stays until the end. `walkproof check` tells what that leaves to be desired.

use walkproof_subject::{self as wp, Leaf, Outcome, Refused, Subject, SubjectCalls, Table, host};

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The tables, the root first.
struct Naive(Vec<u64>);

fn store(entry: *mut u64, value: u64) {
    // SAFETY, here and below: all entries come from entry_of(), which takes them from tables.
    host().stored(entry, unsafe { entry.replace(value) }, value);
}

fn entry_of(table: u64, va: u64, shift: u32) -> *mut u64 {
    unsafe { host().table(table).add((va >> shift) as usize & 511) }
}

impl Naive {
    fn new_table(&mut self) -> Outcome<u64> {
        let pa = host().alloc(4096, 4096).ok_or(Refused::NoMemory)?;
        unsafe { host().table(pa).write_bytes(0, 512) };
        self.0.push(pa);
        Ok(pa)
    }

    /// The entry of `va` in the last table; tables are made on the way there if `create`.
    fn slot(&mut self, va: u64, create: bool) -> Outcome<*mut u64> {
        let mut table = self.0[0];
        for shift in [39, 30, 21] {
            let entry = entry_of(table, va, shift);
            if unsafe { *entry } == 0 {
                create.then_some(()).ok_or(Refused::NotMapped)?;
                store(entry, self.new_table()? | PRESENT | WRITABLE | USER);
            }
            table = unsafe { *entry } & ADDRESS;
        }
        Ok(entry_of(table, va, 12))
    }
}

impl Table for Naive {
    fn root(&self) -> u64 {
        self.0[0]
    }

    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome {
        (size == 4096).then_some(()).ok_or(Refused::BadSize)?;
        let entry = self.slot(va, true)?;
        (unsafe { *entry } == 0).then_some(()).ok_or(Refused::AlreadyMapped)?;
        let has = |flag| u64::from(flags & flag != 0);
        let rights = has(wp::WRITE) * WRITABLE | has(wp::USER) * USER;
        store(entry, pa | rights | (1 - has(wp::EXECUTE)) * NO_EXECUTE | PRESENT);
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
        (entry != 0).then_some(()).ok_or(Refused::NotMapped)?;
        let has = |bit| u32::from(entry & bit != 0);
        let flags = wp::READ | has(WRITABLE) * wp::WRITE | has(USER) * wp::USER;
        let flags = flags | (1 - has(NO_EXECUTE)) * wp::EXECUTE;
        Ok(Leaf { va, pa: entry & ADDRESS | va & 0xfff, size: 4096, flags, uses: 0 })
    }
}

impl Drop for Naive {
    fn drop(&mut self) {
        host().flush_all();
        self.0.iter().for_each(|&table| host().free(table, 4096));
    }
}

impl Subject for Naive {
    fn create(_regime: &str) -> Option<Box<dyn Table>> {
        let mut table = Naive(Vec::new());
        table.new_table().ok()?;
        Some(Box::new(table))
    }
}

#[unsafe(no_mangle)]
pub static walkproof_subject: SubjectCalls = SubjectCalls {
    offers: wp::OFFERS_STORES | wp::OFFERS_FLUSHES,
    ..SubjectCalls::of::<Naive>(c"naive_rust", c"a page table in an afternoon", c"x86_64")
};
