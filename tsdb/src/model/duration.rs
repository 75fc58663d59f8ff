//! Durations as Prometheus writes them: `1h30m`, `250ms`, `1w`.
//!
//! A duration is a number of milliseconds. Grammar: units in the order `y w d h m s ms`, each at
//! most once, whole numbers, no sign, no spaces; `0` alone needs no unit. A year has 365 days.

use thiserror::Error;

/// Unit names, largest first, with their length in milliseconds.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is no duration; the words are Prometheus's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// There is no text.
    #[error("empty duration string")]
    Empty,
    /// The text does not follow the grammar.
    #[error("not a valid duration string: {0:?}")]
    Invalid(String),
    /// More milliseconds than an `i64` of nanoseconds allows (about 292 years).
    #[error("duration out of range")]
    OutOfRange,
}

/// Parses `text` into milliseconds.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(0),
        _ => {}
    }
    let invalid = || DurationError::Invalid(text.to_owned());
    let (mut rest, mut units, mut total_ms) = (text, UNITS.iter(), 0_i64);
    while !rest.is_empty() {
        let (digits, after) = split_where(rest, |b| !b.is_ascii_digit());
        let (name, after) = split_where(after, |b| b.is_ascii_digit());
        let (_, unit_ms) = units.find(|(unit, _)| *unit == name).ok_or_else(invalid)?;
        if digits.is_empty() {
            return Err(invalid());
        }
        let part_ms = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(*unit_ms));
        total_ms = part_ms
            .and_then(|part_ms| total_ms.checked_add(part_ms))
            .filter(|ms| *ms <= i64::MAX / 1_000_000)
            .ok_or(DurationError::OutOfRange)?;
        rest = after;
    }
    Ok(total_ms)
}

fn split_where(text: &str, stop: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(stop).unwrap_or(text.len()))
}

/// Writes milliseconds as Prometheus does: the fewest units that are exact; weeks and years only
/// if nothing remains (`1w`, but `8d`); `0s` for nothing. Negative durations get a `-`.
pub fn format_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    for (name, unit_ms) in UNITS {
        let unit_ms = unit_ms.unsigned_abs();
        let exact_only = matches!(name, "y" | "w" | "d");
        if rest < unit_ms || (exact_only && name != "d" && !rest.is_multiple_of(unit_ms)) {
            continue;
        }
        text.push_str(&format!("{}{name}", rest / unit_ms));
        rest %= unit_ms;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_milliseconds() {
        let rows = [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("5s", 5_000, "5s"),
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("1s500ms", 1_500, "1s500ms"),
            ("7d", 604_800_000, "1w"),
            ("8d", 691_200_000, "8d"),
            ("1w1d", 691_200_000, "8d"),
            ("365d", 31_536_000_000, "1y"),
            ("1d12h", 129_600_000, "1d12h"),
        ];
        for (text, ms, printed) in rows {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
            assert_eq!(format_duration(ms), printed, "{text}");
        }
        assert_eq!(format_duration(-90_000), "-1m30s");
    }

    #[test]
    fn refused_texts() {
        for text in ["1", "s", "5m1h", "1s1s", "1.5h", "-1s", "1 s", "5x", "1h ", "ms"] {
            assert_eq!(parse_duration(text), Err(DurationError::Invalid(text.into())), "{text}");
        }
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
        assert_eq!(parse_duration("300y"), Err(DurationError::OutOfRange));
        assert_eq!(parse_duration("99999999999999999999s"), Err(DurationError::OutOfRange));
    }
}
