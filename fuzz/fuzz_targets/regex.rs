//! `tsdb::fuzz::regex` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tsdb::fuzz::regex(bytes));
