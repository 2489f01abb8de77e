//! Fuzzes `invariants::decoding_agrees`.
#![no_main]

#[allow(dead_code, reason = "each target states one of them")]
#[path = "../invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invariants::decoding_agrees(bytes));
