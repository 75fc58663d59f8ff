//! `tsdb::fuzz::cells` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::cells(bytes));
