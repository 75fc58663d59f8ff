//! `tsdb::fuzz::store` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::store(bytes));
