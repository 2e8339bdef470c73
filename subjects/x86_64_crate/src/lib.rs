// SPDX-License-Identifier: MIT
//! The mapper of the crate x86_64 as a subject: `MappedPageTable`, whose calls exist once
//! for each page size, which frees no table by itself, and whose flags are the entry's own
//! bits. What the contract's words are to it is decided here; nothing that the crate does is
//! put right.

mod path;

use walkproof_subject as wp;
use walkproof_subject::{Leaf, Outcome, Refused, Subject, SubjectCalls, Table, host};
use x86_64::structures::paging::mapper::{
    CleanUp, FlagUpdateError, MapToError, MappedFrame, MappedPageTable, Mapper, MapperFlush,
    PageTableFrameMapping, Translate, TranslateResult, UnmapError,
};
use x86_64::structures::paging::page::PageSize;
use x86_64::structures::paging::{
    FrameAllocator, FrameDeallocator, Page, PageTable, PageTableFlags, PhysFrame, Size1GiB,
    Size2MiB, Size4KiB,
};
use x86_64::{PhysAddr, VirtAddr};

struct Window;

// SAFETY: the window's addresses are those of the tables.
unsafe impl PageTableFrameMapping for Window {
    fn frame_to_pointer(&self, frame: PhysFrame) -> *mut PageTable {
        let table = host().table(frame.start_address().as_u64());
        path::enter(table);
        table.cast()
    }
}

struct Frames;

// SAFETY: the host hands out frames that nobody else has.
unsafe impl FrameAllocator<Size4KiB> for Frames {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        path::settle();
        Some(PhysFrame::containing_address(PhysAddr::new(host().alloc(4096, 4096)?)))
    }
}

impl FrameDeallocator<Size4KiB> for Frames {
    unsafe fn deallocate_frame(&mut self, frame: PhysFrame) {
        host().free(frame.start_address().as_u64(), 4096);
    }
}

struct Mapped {
    root: u64,
}

/// READ is PRESENT: the architecture has no other.
fn bits_of(flags: u32) -> Outcome<PageTableFlags> {
    let pairs = [
        (wp::READ, PageTableFlags::PRESENT),
        (wp::WRITE, PageTableFlags::WRITABLE),
        (wp::USER, PageTableFlags::USER_ACCESSIBLE),
        (wp::DEVICE, PageTableFlags::NO_CACHE | PageTableFlags::WRITE_THROUGH),
        (wp::UNCACHED, PageTableFlags::NO_CACHE),
    ];
    let memory = flags & (wp::DEVICE | wp::UNCACHED);
    let denies_read = flags & wp::READ == 0 && flags & (wp::WRITE | wp::EXECUTE) != 0;
    if flags & !wp::FLAGS != 0 || memory == wp::DEVICE | wp::UNCACHED || denies_read {
        return Err(Refused::BadFlags);
    }
    let mut bits = PageTableFlags::empty();
    for (flag, bit) in pairs {
        bits.set(bit, bits.contains(bit) || flags & flag != 0);
    }
    if flags & wp::EXECUTE == 0 {
        bits |= PageTableFlags::NO_EXECUTE;
    }
    Ok(bits)
}

fn flags_of(bits: PageTableFlags) -> u32 {
    let mut flags = 0;
    if bits.contains(PageTableFlags::PRESENT) {
        flags |= wp::READ;
        if !bits.contains(PageTableFlags::NO_EXECUTE) {
            flags |= wp::EXECUTE;
        }
    }
    if bits.contains(PageTableFlags::WRITABLE) {
        flags |= wp::WRITE;
    }
    if bits.contains(PageTableFlags::USER_ACCESSIBLE) {
        flags |= wp::USER;
    }
    if bits.contains(PageTableFlags::NO_CACHE) {
        let device = bits.contains(PageTableFlags::WRITE_THROUGH);
        flags |= if device { wp::DEVICE } else { wp::UNCACHED };
    }
    flags
}

/// The crate's types hold nothing else.
fn page<S: PageSize>(va: u64) -> Outcome<Page<S>> {
    let va = VirtAddr::try_new(va).map_err(|_| Refused::BadAddress)?;
    Page::from_start_address(va).map_err(|_| Refused::NotAligned)
}

fn frame<S: PageSize>(pa: u64) -> Outcome<PhysFrame<S>> {
    let pa = PhysAddr::try_new(pa).map_err(|_| Refused::BadAddress)?;
    PhysFrame::from_start_address(pa).map_err(|_| Refused::NotAligned)
}

/// A page and a frame, with the contract's order of refusals: addresses before alignment.
fn pair<S: PageSize>(va: u64, pa: u64) -> Outcome<(Page<S>, PhysFrame<S>)> {
    match (page(va), frame(pa)) {
        (Ok(page), Ok(frame)) => Ok((page, frame)),
        (Err(Refused::BadAddress), _) | (_, Err(Refused::BadAddress)) => Err(Refused::BadAddress),
        (Err(refused), _) | (_, Err(refused)) => Err(refused),
    }
}

/// `MapperFlush::flush()` with the host's instruction.
fn flush<S: PageSize>(promise: MapperFlush<S>) {
    path::settle();
    host().flush(promise.page().start_address().as_u64());
    promise.ignore();
}

type Inner = MappedPageTable<'static, Window>;

impl Mapped {
    fn mapper(&self) -> Inner {
        // SAFETY: root is a table, and each call makes one mapper and drops it.
        unsafe { MappedPageTable::new(&mut *host().table(self.root).cast(), Window) }
    }

    /// One call on the way to `va`.
    fn at<R>(&mut self, va: u64, work: impl FnOnce(&mut Inner) -> R) -> R {
        path::begin(va, host().table(self.root));
        let done = work(&mut self.mapper());
        path::end();
        done
    }

    fn map_sized<S: PageSize>(&mut self, va: u64, pa: u64, flags: u32) -> Outcome
    where
        Inner: Mapper<S>,
    {
        let (page, frame) = pair::<S>(va, pa)?;
        let bits = bits_of(flags)?;
        // SAFETY: no memory of this process is reached through these tables; so below.
        self.at(va, |mapper| match unsafe { mapper.map_to(page, frame, bits, &mut Frames) } {
            Ok(promise) => {
                flush(promise);
                Ok(())
            }
            Err(MapToError::FrameAllocationFailed) => Err(Refused::NoMemory),
            Err(MapToError::ParentEntryHugePage) => Err(Refused::MappedToHugePage),
            Err(MapToError::PageAlreadyMapped(_)) => Err(Refused::AlreadyMapped),
        })
    }

    fn unmap_sized<S: PageSize>(&mut self, va: u64) -> Outcome
    where
        Inner: Mapper<S>,
    {
        let page = page::<S>(va)?;
        self.at(va, |mapper| match mapper.unmap(page) {
            Ok((_, promise)) => {
                flush(promise);
                Ok(())
            }
            Err(UnmapError::ParentEntryHugePage) => Err(Refused::MappedToHugePage),
            Err(UnmapError::PageNotMapped) => Err(Refused::NotMapped),
            Err(UnmapError::InvalidFrameAddress(_)) => Err(Refused::Malformed),
        })
    }

    fn protect_sized<S: PageSize>(&mut self, va: u64, bits: PageTableFlags) -> Outcome
    where
        Inner: Mapper<S>,
    {
        let page = page::<S>(va)?;
        self.at(va, |mapper| match unsafe { mapper.update_flags(page, bits) } {
            Ok(promise) => {
                flush(promise);
                Ok(())
            }
            Err(FlagUpdateError::ParentEntryHugePage) => Err(Refused::MappedToHugePage),
            Err(FlagUpdateError::PageNotMapped) => Err(Refused::NotMapped),
        })
    }

    /// The calls exist for each size: as translate() says.
    fn leaf_starting_at(&mut self, va: u64) -> Outcome<Leaf> {
        let found = self.query(va)?;
        if !va.is_multiple_of(found.size) {
            return Err(Refused::NotAligned);
        }
        Ok(found)
    }
}

impl Drop for Mapped {
    /// What the crate has for it: it frees all tables that are empty, and so nothing is mapped
    /// by then. The flush and the root are the caller's own.
    fn drop(&mut self) {
        let mut mapper = self.mapper();
        for entry in mapper.level_4_table_mut().iter_mut() {
            clear(&mut *entry, 3);
        }
        host().flush_all();
        // SAFETY: no table is used twice.
        unsafe { mapper.clean_up(&mut Frames) };
        host().free(self.root, 4096);
    }
}

/// Empties all leaves below an entry of a table, as a caller has to before clean_up().
fn clear(entry: &mut x86_64::structures::paging::page_table::PageTableEntry, height: u32) {
    match entry.frame() {
        Ok(frame) if height > 0 => {
            // SAFETY: a table, of which this is the only use.
            let table: *mut PageTable = host().table(frame.start_address().as_u64()).cast();
            for below in unsafe { &mut *table }.iter_mut() {
                clear(below, height - 1);
            }
        }
        _ => entry.set_unused(),
    }
}

impl Table for Mapped {
    fn root(&self) -> u64 {
        self.root
    }

    fn map(&mut self, va: u64, pa: u64, size: u64, flags: u32) -> Outcome {
        match size {
            Size4KiB::SIZE => self.map_sized::<Size4KiB>(va, pa, flags),
            Size2MiB::SIZE => self.map_sized::<Size2MiB>(va, pa, flags),
            Size1GiB::SIZE => self.map_sized::<Size1GiB>(va, pa, flags),
            _ => Err(Refused::BadSize),
        }
    }

    fn unmap(&mut self, va: u64) -> Outcome<Leaf> {
        let leaf = self.leaf_starting_at(va)?;
        match leaf.size {
            Size4KiB::SIZE => self.unmap_sized::<Size4KiB>(va),
            Size2MiB::SIZE => self.unmap_sized::<Size2MiB>(va),
            _ => self.unmap_sized::<Size1GiB>(va),
        }?;
        Ok(leaf)
    }

    fn query(&mut self, va: u64) -> Outcome<Leaf> {
        let at = VirtAddr::try_new(va).map_err(|_| Refused::BadAddress)?;
        match self.at(va, |mapper| mapper.translate(at)) {
            TranslateResult::Mapped { frame, offset, flags } => {
                let pa = frame.start_address().as_u64() + offset;
                let size = match frame {
                    MappedFrame::Size4KiB(_) => Size4KiB::SIZE,
                    MappedFrame::Size2MiB(_) => Size2MiB::SIZE,
                    MappedFrame::Size1GiB(_) => Size1GiB::SIZE,
                };
                Ok(Leaf { va, pa, size, flags: flags_of(flags), uses: 0 })
            }
            TranslateResult::NotMapped => Err(Refused::NotMapped),
            TranslateResult::InvalidFrameAddress(_) => Err(Refused::Malformed),
        }
    }

    fn protect(&mut self, va: u64, flags: u32) -> Outcome<Leaf> {
        page::<Size4KiB>(va)?;
        let bits = bits_of(flags)?;
        let leaf = self.leaf_starting_at(va)?;
        match leaf.size {
            Size4KiB::SIZE => self.protect_sized::<Size4KiB>(va, bits),
            Size2MiB::SIZE => self.protect_sized::<Size2MiB>(va, bits),
            _ => self.protect_sized::<Size1GiB>(va, bits),
        }?;
        Ok(leaf)
    }
}

struct Crate;

impl Subject for Crate {
    fn create(_regime: &str) -> Option<Box<dyn Table>> {
        let root = host().alloc(4096, 4096)?;
        // SAFETY: a frame of its own.
        unsafe { host().table(root).write_bytes(0, 512) };
        Some(Box::new(Mapped { root }))
    }
}

#[unsafe(no_mangle)]
pub static walkproof_subject: SubjectCalls = SubjectCalls {
    offers: wp::OFFERS_STORES | wp::OFFERS_FLUSHES,
    protect: Some(wp::protect),
    ..SubjectCalls::of::<Crate>(
        c"x86_64_crate",
        c"MappedPageTable of the Rust crate x86_64 0.15.5",
        c"x86_64",
    )
};
