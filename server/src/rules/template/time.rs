//! Times and durations as Go prints them.

/// Why a number is no time.
pub(super) fn not_a_time(value: f64) -> Option<String> {
    if !value.is_finite() {
        return Some("value is NaN or Inf".to_owned());
    }
    let nanoseconds = value * 1e9;
    let is_held = nanoseconds <= i64::MAX as f64 && nanoseconds >= i64::MIN as f64;
    let text = tsdb::model::number::format_general(value);
    let what = "cannot be represented as a nanoseconds timestamp since it overflows int64";
    (!is_held).then(|| format!("{text} {what}"))
}

/// Seconds since 1970 as Go's `time.Time` prints: `2015-01-01 00:00:00.5 +0000 UTC`, to the
/// millisecond.
pub(super) fn date(seconds: f64) -> String {
    let milliseconds = ((seconds * 1e9) as i64).div_euclid(1_000_000);
    let Ok(time) = jiff::Timestamp::from_millisecond(milliseconds) else {
        return format!("{seconds}");
    };
    let text = time.to_string();
    format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " "))
}

/// Seconds as Go's `time.Duration` prints: `1h2m3.5s`, `1.5ms`, `0s`.
pub(in crate::rules) fn go_duration(seconds: f64) -> String {
    let nanoseconds = (seconds * 1e9) as i64;
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let whole = nanoseconds.unsigned_abs();
    let small = [(1_000, "ns", 1), (1_000_000, "µs", 1_000), (1_000_000_000, "ms", 1_000_000)];
    if whole == 0 {
        return "0s".to_owned();
    }
    if let Some((_, unit, size)) = small.iter().find(|(limit, ..)| whole < *limit) {
        return format!("{sign}{}{unit}", decimal(whole, *size));
    }
    let (minutes, rest) = (whole / 60_000_000_000, whole % 60_000_000_000);
    let seconds = format!("{}s", decimal(rest, 1_000_000_000));
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

/// `count / size` exactly, `size` being a power of ten.
fn decimal(count: u64, size: u64) -> String {
    let digits = size.ilog10() as usize;
    if digits == 0 {
        return count.to_string();
    }
    let text = format!("{}.{:0digits$}", count / size, count % size);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let rows = [
            (0.0, "1970-01-01 00:00:00 +0000 UTC", "0s"),
            (1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC", "398629h19m44.128s"),
            (0.0015, "1970-01-01 00:00:00.001 +0000 UTC", "1.5ms"),
            (-90.0, "1969-12-31 23:58:30 +0000 UTC", "-1m30s"),
            (3600.0, "1970-01-01 01:00:00 +0000 UTC", "1h0m0s"),
            (0.000_000_002, "1970-01-01 00:00:00 +0000 UTC", "2ns"),
        ];
        for (seconds, as_date, as_duration) in rows {
            assert_eq!(date(seconds), as_date);
            assert_eq!(go_duration(seconds), as_duration);
        }
        assert!(not_a_time(1.0).is_none());
        assert!(not_a_time(f64::NAN).is_some());
        assert!(not_a_time(1e12).is_some_and(|text| text.starts_with("1e+12 cannot be")));
    }
}
