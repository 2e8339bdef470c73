// SPDX-License-Identifier: MIT
//! What a Walkproof subject in Rust is made of: a [`Table`] with the calls that it has, and
//! one static, [`SubjectCalls`], that a `cdylib` exports as `walkproof_subject`. The
//! contract of each call is that of `walkproof/subject.h`.

mod calls;
pub mod ffi;
mod host;

use std::any::Any;

pub use calls::*;
pub use ffi::{EntrySeen, Leaf, SubjectCalls};
pub use host::{Host, host};

pub const READ: u32 = 0x01;
pub const WRITE: u32 = 0x02;
pub const EXECUTE: u32 = 0x04;
pub const USER: u32 = 0x08;
pub const DEVICE: u32 = 0x10;
pub const UNCACHED: u32 = 0x20;
pub const FLAGS: u32 = 0x3f;

pub const OFFERS_STORES: u32 = 0x1;
pub const OFFERS_FLUSHES: u32 = 0x2;
pub const OFFERS_USES: u32 = 0x4;

pub const ENTRY_TABLE: u32 = 1;
pub const ENTRY_LEAF: u32 = 2;
pub const ENTRY_MALFORMED: u32 = 3;

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
pub enum Refused {
    NoMemory = 1,
    NotAligned,
    NotMapped,
    AlreadyMapped,
    MappedToHugePage,
    BadAddress,
    BadSize,
    BadFlags,
    Malformed,
    Borrowed,
    Failed,
}

pub type Outcome<T = ()> = Result<T, Refused>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flush {
    Recorded,
    All,
    Ignore,
}

/// One page table of the implementation under test. A call with a default isn't offered
/// unless the subject's [`SubjectCalls`] names it.
#[allow(unused_variables)]
pub trait Table: Any {
    fn root(&self) -> u64;
    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome;
    fn unmap(&mut self, va: u64) -> Outcome<Leaf>;
    fn query(&mut self, va: u64) -> Outcome<Leaf>;

    /// The leaf that there was.
    fn protect(&mut self, va: u64, flags: u32) -> Outcome<Leaf> {
        Err(Refused::Failed)
    }
    fn remap(&mut self, va: u64, pa: u64, flags: u32) -> Outcome<Leaf> {
        Err(Refused::Failed)
    }
    fn map_region(
        &mut self,
        va: u64,
        page_of: &dyn Fn(u64) -> u64,
        size: u64,
        flags: u32,
        allow_huge: bool,
    ) -> Outcome {
        Err(Refused::Failed)
    }
    fn unmap_region(&mut self, va: u64, size: u64) -> Outcome {
        Err(Refused::Failed)
    }
    fn protect_region(&mut self, va: u64, size: u64, flags: u32) -> Outcome {
        Err(Refused::Failed)
    }
    fn walk(&mut self, limit: u64, pre: Visit<'_>, post: Visit<'_>) {}
    fn copy_from(&mut self, other: &mut dyn Table, va: u64, size: u64) -> Outcome {
        Err(Refused::Failed)
    }
    fn give_back(&mut self, va: u64, size: u64) -> Outcome {
        Err(Refused::Failed)
    }
    fn batch_begin(&mut self) {}
    fn batch_end(&mut self, how: Flush) {}
}

/// What the visitor of a walk wants next is for the implementation to heed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    On,
    Skip,
    Stop,
}

pub type Visit<'a> = Option<&'a dyn Fn(&EntrySeen) -> Next>;
