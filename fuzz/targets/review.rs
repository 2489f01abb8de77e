//! Fuzzes `invariants::a_review_is_answered`.
#![no_main]

#[allow(dead_code, reason = "each target states one of them")]
#[path = "../invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::a_review_is_answered(bytes));
