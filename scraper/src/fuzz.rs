//! Entrance for fuzzing: pages of any bytes are read to their end or to their first error.

use crate::parse::protobuf::{NativeOptions, ProtobufError, families};
use crate::parse::{Entry, Format, Parser};

/// Reads `page` in every format, labels included.
pub fn page(page: &[u8]) {
    for format in [Format::Text, Format::OpenMetrics] {
        let mut parser = Parser::new(page, format);
        while let Ok(Some(entry)) = parser.next(b"") {
            if let Entry::Sample(sample) = entry {
                sample.series.decode();
            }
        }
    }
    let options = NativeOptions { native: true, classic_too: true };
    for family in families(page).flatten() {
        for metric in family.metrics().flatten() {
            metric.labels().for_each(drop);
            // What is wrong with one metric is no reason to leave the others out here.
            let _read: Result<(), ProtobufError> = metric.points(options, &mut |_| Ok(()));
        }
    }
}
