//! `server::ingest::remote_write::fuzz::message` under libFuzzer.

#![no_main]

use server::ingest::remote_write::fuzz;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::message(bytes));
