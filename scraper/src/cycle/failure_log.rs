//! The file that failed scrapes are written to, one JSON object a line (`scrape_failure_log_file`).
//!
//! It is opened for each line, so that whoever moves it away gets a new one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use tsdb::model::Timestamp;

use crate::target::Target;

/// Adds what went wrong with `target` at `now`.
pub(super) fn note(path: &Path, now: Timestamp, target: &Target, error: &str) -> io::Result<()> {
    let line = json!({
        "time": date(now),
        "level": "ERROR",
        "msg": error,
        "job_name": target.pool,
        "target": target.url,
    });
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

/// As RFC 3339 writes it, in UTC, with milliseconds.
fn date(at: Timestamp) -> String {
    let date = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{date:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_494_108_682, "2026-11-24T04:21:48.682Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (ms, text) in rows {
            assert_eq!(date(Timestamp::from_ms(ms)), text);
        }
    }
}
