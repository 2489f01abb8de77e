//! Fuzzes `mutation::a_pod_is_mutated`.
#![no_main]

#[path = "../mutation.rs"]
mod mutation;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mutation::a_pod_is_mutated(bytes));
