// SPDX-License-Identifier: MIT
//! Prints a C file that compiles if and only if the structs here are laid out as
//! `walkproof/subject.h` has them.

use std::mem::{offset_of, size_of};
use walkproof_subject::ffi::{EntrySeen, Host, Leaf, SubjectCalls};

macro_rules! layout {
    ($rust:ty, $c:literal, $($field:ident)*) => {
        println!("_Static_assert(sizeof(struct {}) == {}, \"{0}\");", $c, size_of::<$rust>());
        $(println!(
            "_Static_assert(offsetof(struct {}, {}) == {}, \"{0}.{1}\");",
            $c, stringify!($field), offset_of!($rust, $field)
        );)*
        // Nothing is left out: this doesn't compile if a field is missing.
        let _ = |it: $rust| { let Self_ { $($field: _),* } = it; };
        type Self_ = $rust;
    };
}

fn leaf() {
    layout!(Leaf, "wp_leaf", va pa size flags uses);
}

fn host() {
    layout!(Host, "wp_host", version bytes context window_pa window_bytes window
        alloc free stored flush flush_all panicked);
}

fn entry_seen() {
    layout!(EntrySeen, "wp_entry_seen", level kind index va entry leaf);
}

fn subject_calls() {
    layout!(SubjectCalls, "wp_subject_calls", version bytes name what regimes deviations
        offers fixed_offset create destroy root map unmap query protect remap map_region
        map_region_with unmap_region protect_region walk copy_from give_back harvest
        unmap_region_with batch_begin batch_end fixed_frames);
}

fn main() {
    println!("#include <stddef.h>\n#include \"walkproof/subject.h\"");
    leaf();
    host();
    entry_seen();
    subject_calls();
}
