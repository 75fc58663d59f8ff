//! `tsdb::fuzz::window` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::window(bytes));
