//! `promql::fuzz::query` under libFuzzer: any text is refused, or printed, parsed again and answered.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| promql::fuzz::query(text));
