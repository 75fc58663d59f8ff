//! The parsers of pages: any page is read to its end or to its first error, in every format.

#![no_main]

libfuzzer_sys::fuzz_target!(|page: &[u8]| scraper::fuzz::page(page));
