//! `tsdb::fuzz::rows` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::rows(bytes));
