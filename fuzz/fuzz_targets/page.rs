//! The parsers of pages: any page is read to its end or to its first error, in both formats.

#![no_main]

use scraper::parse::{Format, Parser};

libfuzzer_sys::fuzz_target!(|page: &[u8]| {
    for format in [Format::Text, Format::OpenMetrics] {
        let mut parser = Parser::new(page, format);
        while let Ok(Some(_)) = parser.next(b"") {}
    }
});
