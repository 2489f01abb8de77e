//! Fuzzes `invariants::a_review_is_answered`.
#![no_main]

#[path = "../invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::a_review_is_answered(bytes));
