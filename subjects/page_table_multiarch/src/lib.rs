// SPDX-License-Identifier: MIT
//! The crate page_table_multiarch as a subject: its `PageTable64` on all four
//! architectures, with its own entry formats. Frames, flushes and stores are the host's;
//! nothing that the crate does is put right here.

mod watch;

use std::any::Any;

use memory_addr::{PhysAddr, VirtAddr};
use page_table_entry::aarch64::A64PTE;
use page_table_entry::loongarch64::LA64PTE;
use page_table_entry::riscv::Rv64PTE;
use page_table_entry::x86_64::X64PTE;
use page_table_entry::{GenericPTE, MappingFlags};
use page_table_multiarch::{
    PageSize, PageTable64, PageTable64Cursor, PagingError, PagingHandler, PagingMetaData,
};
use walkproof_subject as wp;
use walkproof_subject::{EntrySeen, Flush, Leaf, Outcome, Refused, Subject, SubjectCalls, Table};

use watch::Watched;

/// The crate's metadata of an architecture, but for the flush instructions.
struct Metadata<const LEVELS: usize, const PA_BITS: usize, const VA_BITS: usize>;

impl<const LEVELS: usize, const PA_BITS: usize, const VA_BITS: usize> PagingMetaData
    for Metadata<LEVELS, PA_BITS, VA_BITS>
{
    const LEVELS: usize = LEVELS;
    const PA_MAX_BITS: usize = PA_BITS;
    const VA_MAX_BITS: usize = VA_BITS;
    type VirtAddr = VirtAddr;

    fn flush_tlb(vaddr: Option<VirtAddr>) {
        watch::settle();
        match vaddr {
            Some(vaddr) => wp::host().flush(vaddr.as_usize() as u64),
            None => wp::host().flush_all(),
        }
    }
}

struct Handler;

impl PagingHandler for Handler {
    fn alloc_frames(count: usize, align: usize) -> Option<PhysAddr> {
        watch::settle();
        let pa = wp::host().alloc(count as u64 * 4096, align as u64)?;
        Some(PhysAddr::from(pa as usize))
    }

    fn dealloc_frames(pa: PhysAddr, count: usize) {
        watch::settle_and_forget();
        wp::host().free(pa.as_usize() as u64, count as u64 * 4096);
    }

    fn phys_to_virt(pa: PhysAddr) -> VirtAddr {
        watch::settle();
        VirtAddr::from(wp::host().table(pa.as_usize() as u64) as usize)
    }
}

type Cursor<M, P> = PageTable64Cursor<'static, M, Watched<P>, Handler>;

struct Paged<M: PagingMetaData + 'static, P: GenericPTE + 'static> {
    /// Open from batch_begin() to batch_end(). Before `table`: it borrows from it.
    batch: Option<Cursor<M, P>>,
    table: *mut PageTable64<M, Watched<P>, Handler>,
}

fn refused(error: PagingError) -> Refused {
    match error {
        PagingError::NoMemory => Refused::NoMemory,
        PagingError::NotAligned => Refused::NotAligned,
        PagingError::NotMapped => Refused::NotMapped,
        PagingError::AlreadyMapped => Refused::AlreadyMapped,
        PagingError::MappedToHugePage => Refused::MappedToHugePage,
    }
}

/// The crate's type can't hold other bits.
fn flags_of(flags: u32) -> Outcome<MappingFlags> {
    MappingFlags::from_bits(flags as usize).ok_or(Refused::BadFlags)
}

fn size_of(size: u64) -> Outcome<PageSize> {
    [PageSize::Size4K, PageSize::Size1M, PageSize::Size2M, PageSize::Size1G]
        .into_iter()
        .find(|&known| known as u64 == size)
        .ok_or(Refused::BadSize)
}

fn leaf(va: u64, pa: PhysAddr, flags: MappingFlags, size: PageSize) -> Leaf {
    let (pa, flags) = (pa.as_usize() as u64, flags.bits() as u32);
    Leaf { va, pa, size: size as u64, flags, uses: 0 }
}

/// As a whole: it starts where its size says.
fn whole(va: u64, pa: PhysAddr, flags: MappingFlags, size: PageSize) -> Leaf {
    let found = leaf(va, pa, flags, size);
    Leaf { va: va & !(found.size - 1), pa: found.pa & !(found.size - 1), ..found }
}

impl<M: PagingMetaData<VirtAddr = VirtAddr> + 'static, P: GenericPTE + 'static> Paged<M, P> {
    fn try_new() -> Option<Box<dyn Table>> {
        let table = PageTable64::try_new().ok()?;
        Some(Box::new(Self { batch: None, table: Box::into_raw(Box::new(table)) }))
    }

    /// On the batch's cursor, or on one of the call's own, which flushes when it is dropped.
    fn with<R>(&mut self, work: impl FnOnce(&mut Cursor<M, P>) -> R) -> R {
        let done = match &mut self.batch {
            Some(cursor) => work(cursor),
            // SAFETY: the table lives as long as self, and has no other cursor.
            None => work(&mut unsafe { &mut *self.table }.cursor()),
        };
        watch::settle_and_forget();
        done
    }

    fn copy(&mut self, other: &PageTable64<M, Watched<P>, Handler>, va: u64, size: u64) {
        let root = wp::host().table(self.root());
        self.with(|cursor| {
            watch::Whole::watch(root);
            cursor.copy_from(other, VirtAddr::from(va as usize), size as usize);
            watch::settle_whole();
        });
    }

    /// What the crate's callers do who want to know what a leaf was: its calls tell the size.
    fn replaced(cursor: &Cursor<M, P>, va: u64) -> Leaf {
        match cursor.query(VirtAddr::from(va as usize)) {
            Ok((pa, flags, size)) => whole(va, pa, flags, size),
            Err(_) => Leaf::default(),
        }
    }

    /// Both visitors of a walk have one type in the crate.
    fn visitor<'a>(
        visit: wp::Visit<'a>,
    ) -> Option<impl Fn(usize, usize, VirtAddr, &Watched<P>) + use<'a, M, P>> {
        visit.map(|visit| {
            move |level: usize, index: usize, va: VirtAddr, entry: &Watched<P>| {
                visit(&Self::seen(level, index, va.as_usize() as u64, entry));
            }
        })
    }

    /// What a visitor is told.
    fn seen(level: usize, index: usize, va: u64, entry: &Watched<P>) -> EntrySeen {
        let is_leaf = level == M::LEVELS - 1 || entry.is_huge();
        let size = 4096_u64 << ((M::LEVELS - 1 - level) * 9);
        let (pa, flags) = (entry.paddr().as_usize() as u64, entry.flags().bits() as u32);
        EntrySeen {
            level: level as u32,
            kind: if is_leaf { wp::ENTRY_LEAF } else { wp::ENTRY_TABLE },
            index: index as u64,
            va,
            entry: entry.bits() as u64,
            leaf: if is_leaf { Leaf { va, pa, size, flags, uses: 0 } } else { Leaf::default() },
        }
    }
}

impl<M: PagingMetaData + 'static, P: GenericPTE + 'static> Drop for Paged<M, P> {
    fn drop(&mut self) {
        self.batch = None;
        // SAFETY: try_new() made it of a Box.
        drop(unsafe { Box::from_raw(self.table) });
        watch::settle_and_forget();
    }
}

impl<M: PagingMetaData<VirtAddr = VirtAddr> + 'static, P: GenericPTE + 'static> Table
    for Paged<M, P>
{
    fn root(&self) -> u64 {
        // SAFETY: the table lives as long as self.
        unsafe { &*self.table }.root_paddr().as_usize() as u64
    }

    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome {
        let (size, flags) = (size_of(size)?, flags_of(flags)?);
        let (va, pa) = (VirtAddr::from(va as usize), PhysAddr::from(pa as usize));
        self.with(|cursor| cursor.map(va, pa, size, flags)).map_err(refused)
    }

    fn unmap(&mut self, va: u64) -> Outcome<Leaf> {
        let (pa, flags, size) =
            self.with(|cursor| cursor.unmap(VirtAddr::from(va as usize))).map_err(refused)?;
        Ok(whole(va, pa, flags, size))
    }

    fn query(&mut self, va: u64) -> Outcome<Leaf> {
        let (pa, flags, size) =
            self.with(|cursor| cursor.query(VirtAddr::from(va as usize))).map_err(refused)?;
        Ok(leaf(va, pa, flags, size))
    }

    fn protect(&mut self, va: u64, flags: u32) -> Outcome<Leaf> {
        let flags = flags_of(flags)?;
        self.with(|cursor| {
            let replaced = Self::replaced(cursor, va);
            cursor.protect(VirtAddr::from(va as usize), flags).map(|_| replaced)
        })
        .map_err(refused)
    }

    fn remap(&mut self, va: u64, pa: u64, flags: u32) -> Outcome<Leaf> {
        let flags = flags_of(flags)?;
        self.with(|cursor| {
            let replaced = Self::replaced(cursor, va);
            let (va, pa) = (VirtAddr::from(va as usize), PhysAddr::from(pa as usize));
            cursor.remap(va, pa, flags).map(|_| replaced)
        })
        .map_err(refused)
    }

    fn map_region(
        &mut self,
        va: u64,
        page_of: &dyn Fn(u64) -> u64,
        size: u64,
        flags: u32,
        allow_huge: bool,
    ) -> Outcome {
        let flags = flags_of(flags)?;
        let page_of = |at: VirtAddr| PhysAddr::from(page_of(at.as_usize() as u64) as usize);
        let va = VirtAddr::from(va as usize);
        self.with(|cursor| cursor.map_region(va, page_of, size as usize, flags, allow_huge))
            .map_err(refused)
    }

    fn unmap_region(&mut self, va: u64, size: u64) -> Outcome {
        let va = VirtAddr::from(va as usize);
        self.with(|cursor| cursor.unmap_region(va, size as usize)).map_err(refused)
    }

    fn protect_region(&mut self, va: u64, size: u64, flags: u32) -> Outcome {
        let (va, flags) = (VirtAddr::from(va as usize), flags_of(flags)?);
        self.with(|cursor| cursor.protect_region(va, size as usize, flags)).map_err(refused)
    }

    /// The crate's walk can't be told to skip or to stop.
    fn walk(&mut self, limit: u64, pre: wp::Visit<'_>, post: wp::Visit<'_>) {
        let (pre, post) = (Self::visitor(pre), Self::visitor(post));
        self.with(|cursor| cursor.walk(limit as usize, pre.as_ref(), post.as_ref()));
    }

    fn copy_from(&mut self, other: &mut dyn Table, va: u64, size: u64) -> Outcome {
        let other: &mut dyn Any = other;
        // SAFETY: two tables of one regime, and so of one type; the other is only read.
        let other = unsafe { &*other.downcast_mut::<Self>().ok_or(Refused::Failed)?.table };
        self.copy(other, va, size);
        Ok(())
    }

    /// The crate has no call for it: its callers copy from a table that holds nothing.
    fn give_back(&mut self, va: u64, size: u64) -> Outcome {
        self.copy(&PageTable64::try_new().map_err(refused)?, va, size);
        Ok(())
    }

    fn batch_begin(&mut self) {
        // SAFETY: as in with().
        self.batch = Some(unsafe { &mut *self.table }.cursor());
    }

    fn batch_end(&mut self, how: Flush) {
        let cursor = self.batch.take();
        match how {
            Flush::Ignore => std::mem::forget(cursor), // it has no other way
            Flush::Recorded => drop(cursor),
            Flush::All => {
                drop(cursor);
                M::flush_tlb(None);
            }
        }
    }
}

struct Crate;

impl Subject for Crate {
    fn create(regime: &str) -> Option<Box<dyn Table>> {
        match regime.split('_').next() {
            Some("x86") => Paged::<Metadata<4, 52, 48>, X64PTE>::try_new(),
            Some("aarch64") => Paged::<Metadata<4, 48, 48>, A64PTE>::try_new(),
            Some("loongarch64") => Paged::<Metadata<4, 48, 48>, LA64PTE>::try_new(),
            _ if regime.contains("sv39") => Paged::<Metadata<3, 56, 39>, Rv64PTE>::try_new(),
            _ => Paged::<Metadata<4, 56, 48>, Rv64PTE>::try_new(),
        }
    }
}

#[unsafe(no_mangle)]
pub static walkproof_subject: SubjectCalls = SubjectCalls {
    offers: wp::OFFERS_STORES | wp::OFFERS_FLUSHES,
    protect: Some(wp::protect),
    remap: Some(wp::remap),
    map_region: Some(wp::map_region),
    map_region_with: Some(wp::map_region_with),
    unmap_region: Some(wp::unmap_region),
    protect_region: Some(wp::protect_region),
    walk: Some(wp::walk),
    copy_from: Some(wp::copy_from),
    give_back: Some(wp::give_back),
    batch_begin: Some(wp::batch_begin),
    batch_end: Some(wp::batch_end),
    ..SubjectCalls::of::<Crate>(c"page_table_multiarch", WHAT, REGIMES)
};

const WHAT: &std::ffi::CStr = c"the Rust crate page_table_multiarch 0.6.1";
#[cfg(not(feature = "el2-xuantie"))]
const REGIMES: &std::ffi::CStr =
    c"x86_64 aarch64_low aarch64_high riscv64_sv39 riscv64_sv48 loongarch64";
#[cfg(feature = "el2-xuantie")]
const REGIMES: &std::ffi::CStr = c"aarch64_el2 riscv64_sv39_xuantie riscv64_sv48_xuantie";
