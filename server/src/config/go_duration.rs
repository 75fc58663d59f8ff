//! Durations as Go writes them (`time.ParseDuration`): `1.5s`, `1m30s`, `100ms`; a number alone is
//! nanoseconds where Go's YAML reader takes one.

use std::time::Duration;

/// Units with their length in nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// The longest that Go can hold, in nanoseconds.
const NANOSECONDS_MAX: f64 = i64::MAX as f64;

/// Reads it; negative ones are refused.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if let Ok(nanoseconds) = text.parse::<u64>() {
        return Ok(Duration::from_nanos(nanoseconds));
    }
    let wrong = || format!("time: invalid duration {text:?}");
    let (mut rest, mut sum) = (text.strip_prefix('+').unwrap_or(text), 0.0);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        sum += number * length;
        rest = behind;
    }
    if sum < NANOSECONDS_MAX { Ok(Duration::from_nanos(sum as u64)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let rows = [
            ("0", Some(0)),
            ("1", Some(1)),
            ("1.5s", Some(1_500_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("100ms", Some(100_000_000)),
            (".5h", Some(1_800_000_000_000)),
            ("2µs", Some(2_000)),
            ("+3ns", Some(3)),
            ("1d", None),
            ("-1s", None),
            ("s", None),
            ("1.2.3s", None),
            ("", None),
            ("9999999h", None),
        ];
        for (text, nanoseconds) in rows {
            assert_eq!(parse(text).ok(), nanoseconds.map(Duration::from_nanos), "{text}");
        }
    }
}
