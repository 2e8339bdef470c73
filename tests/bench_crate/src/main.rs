// SPDX-License-Identifier: MIT
//! The work of bench_library.c on the crate page_table_multiarch: prints
//! nanoseconds per call or page, in the order of bench_library's rows.

use std::time::Instant;

use memory_addr::{PhysAddr, VirtAddr};
use page_table_entry::MappingFlags;
use page_table_entry::x86_64::X64PTE;
use page_table_multiarch::{PageSize, PageTable64, PagingHandler, PagingMetaData};

const PAGE: usize = 4096;
const PAGES: usize = 1 << 18;
const FRAMES: usize = 2048;

/// x86_64 without its privileged flush instructions.
struct Metadata;

impl PagingMetaData for Metadata {
    const LEVELS: usize = 4;
    const PA_MAX_BITS: usize = 52;
    const VA_MAX_BITS: usize = 48;
    type VirtAddr = VirtAddr;

    fn flush_tlb(_: Option<VirtAddr>) {}
}

static mut MEMORY: usize = 0;
static mut NEXT: usize = 1;

struct Handler;

impl PagingHandler for Handler {
    fn alloc_frames(count: usize, _align: usize) -> Option<PhysAddr> {
        unsafe {
            let first = NEXT;
            NEXT += count;
            (NEXT <= FRAMES).then(|| (first * PAGE).into())
        }
    }

    fn dealloc_frames(_: PhysAddr, _: usize) {}

    #[inline]
    fn phys_to_virt(paddr: PhysAddr) -> VirtAddr {
        unsafe { (MEMORY + paddr.as_usize()).into() }
    }
}

type Table = PageTable64<Metadata, X64PTE, Handler>;

fn per_page(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() / PAGES as f64 * 1e9
}

/// The order that bench_library.c uses.
fn random_order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..PAGES).collect();
    for i in (1..PAGES).rev() {
        let j = (i as u32).wrapping_mul(2654435761) as usize % (i + 1);
        order.swap(i, j);
    }
    order
}

fn stays(page: usize) -> bool {
    page % 512 == 511
}

fn at(page: usize) -> VirtAddr {
    (page * PAGE).into()
}

fn round(table: &mut Table, order: &[usize], best: &mut [f64; 10]) {
    let read_write = MappingFlags::READ | MappingFlags::WRITE;
    let sequence: Vec<usize> = (0..PAGES).collect();
    let mut cursor = table.cursor();
    let mut keep = |row: usize, time: f64| best[row] = best[row].min(time);

    for page in (511..PAGES).step_by(512) {
        cursor.map(at(page), (page * PAGE).into(), PageSize::Size4K, MappingFlags::READ).unwrap();
    }
    for (pages, map, query, unmap) in [(&sequence[..], 0, 1, 3), (order, 4, 5, 6)] {
        keep(map, per_page(|| {
            for &page in pages.iter().filter(|&&page| !stays(page)) {
                cursor.map(at(page), (page * PAGE).into(), PageSize::Size4K, read_write).unwrap();
            }
        }));
        keep(query, per_page(|| {
            for &page in pages {
                std::hint::black_box(cursor.query(at(page)).unwrap());
            }
        }));
        if map == 0 {
            keep(2, per_page(|| {
                for (turn, &page) in pages.iter().enumerate() {
                    let flags = if turn & 1 == 0 { MappingFlags::READ } else { read_write };
                    cursor.protect(at(page), flags).unwrap();
                }
            }));
        }
        keep(unmap, per_page(|| {
            for &page in pages.iter().filter(|&&page| !stays(page)) {
                cursor.unmap(at(page)).unwrap();
            }
        }));
    }
    for page in (511..PAGES).step_by(512) {
        cursor.unmap(at(page)).unwrap();
    }
    let size = PAGES * PAGE;
    keep(7, per_page(|| {
        cursor.map_region(at(0), |va| va.as_usize().into(), size, read_write, false).unwrap()
    }));
    keep(8, per_page(|| cursor.protect_region(at(0), size, MappingFlags::READ).unwrap()));
    keep(9, per_page(|| cursor.unmap_region(at(0), size).unwrap()));
}

fn main() {
    let memory = vec![0u8; (FRAMES + 1) * PAGE].leak();
    unsafe { MEMORY = (memory.as_ptr() as usize + PAGE - 1) & !(PAGE - 1) };
    let mut table = Table::try_new().unwrap();
    let order = random_order();
    let mut best = [f64::MAX; 10];

    for _ in 0..7 {
        round(&mut table, &order, &mut best);
    }
    println!("{}", best.map(|time| format!("{time:.2}")).join(" "));
    std::mem::forget(table);
}
