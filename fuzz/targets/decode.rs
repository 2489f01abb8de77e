//! Fuzzes `invariants::decoding_agrees`.
#![no_main]

#[path = "../invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::decoding_agrees(bytes));
