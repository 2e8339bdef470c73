// SPDX-License-Identifier: MIT
//! What a subject gets instead of a kernel.

use std::ffi::CString;
use std::panic;
use std::ptr::null_mut;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

pub use crate::ffi::Host;

/// The host of the last table created: allocators and flushes of page-table crates are
/// mostly functions without a context.
static HOST: AtomicPtr<Host> = AtomicPtr::new(null_mut());

/// The host. There is one from the first table's creation on.
pub fn host() -> &'static Host {
    // SAFETY: all calls are made while a table exists, and the host outlives it.
    unsafe { HOST.load(Ordering::Relaxed).as_ref() }.expect("no table was created yet")
}

/// Takes over the host; from now on a panic is a finding, with its message and its line.
pub(crate) fn set_host(host: *const Host) {
    static HOOK: Once = Once::new();

    HOST.store(host.cast_mut(), Ordering::Relaxed);
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let said = CString::new(info.to_string().replace('\0', " ")).unwrap_or_default();
            let host = crate::host();
            // SAFETY: as the header has it; it doesn't return.
            unsafe { (host.panicked)(host.context, said.as_ptr()) };
            std::process::abort();
        }));
    });
}

impl Host {
    pub fn alloc(&self, bytes: u64, align: u64) -> Option<u64> {
        // SAFETY: the host's own function and context, here and below.
        let pa = unsafe { (self.alloc)(self.context, bytes, align) };
        (pa != 0).then_some(pa)
    }

    pub fn free(&self, pa: u64, bytes: u64) {
        unsafe { (self.free)(self.context, pa, bytes) }
    }

    pub fn stored(&self, entry: *const u64, before: u64, after: u64) {
        unsafe { (self.stored)(self.context, entry.cast(), before, after) }
    }

    pub fn flush(&self, va: u64) {
        unsafe { (self.flush)(self.context, va) }
    }

    pub fn flush_all(&self) {
        unsafe { (self.flush_all)(self.context) }
    }

    /// Where a table at `pa` is readable and writable. Panics where there is no memory: in
    /// a kernel that access would fault.
    pub fn table(&self, pa: u64) -> *mut u64 {
        let offset = pa.wrapping_sub(self.window_pa);
        assert!(
            offset < self.window_bytes && self.window_bytes - offset >= 4096,
            "an entry is followed to {pa:#x}, where there is no memory"
        );
        // SAFETY: within the window.
        unsafe { self.window.add(offset as usize).cast() }
    }

    /// Whether an entry at that address lies in guest memory, and so is part of a table.
    pub fn holds(&self, entry: *const u64) -> bool {
        (entry as u64).wrapping_sub(self.window as u64) < self.window_bytes
    }
}
