//! `tsdb::fuzz::block` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::block(bytes));
