//! Numbers for people, as Prometheus's template functions write them.

use tsdb::model::number::format_general;

/// Go's `%.4g`.
pub(super) fn four_digits(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format_general(value);
    }
    let digits = format!("{value:.3e}");
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..4).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.unsigned_abs());
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// Divides by `base` while it can, at most as often as there are prefixes; the last one is used.
fn scaled(
    mut value: f64,
    prefixes: [&'static str; 8],
    is_done: impl Fn(f64) -> bool,
    step: impl Fn(f64) -> f64,
) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if is_done(value) {
            break;
        }
        (prefix, value) = (next, step(value));
    }
    (value, prefix)
}

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn small(value: f64) -> (f64, &'static str) {
    scaled(value, SMALL, |value| value.abs() >= 1.0, |value| value * 1000.0)
}

/// `1234567` → `1.235M`.
pub(super) fn decimal(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    let large = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let (value, prefix) = match value.abs() >= 1.0 {
        true => scaled(value, large, |value| value.abs() < 1000.0, |value| value / 1000.0),
        false => small(value),
    };
    format!("{}{prefix}", four_digits(value))
}

/// `1048576` → `1Mi`.
pub(super) fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    let large = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    let (value, prefix) =
        scaled(value, large, |value| value.abs() < 1024.0, |value| value / 1024.0);
    format!("{}{prefix}", four_digits(value))
}

/// Seconds: `3661` → `1h 1m 1s`.
pub(super) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return format!("{}s", four_digits(value));
    }
    if value.abs() < 1.0 {
        let (value, prefix) = small(value);
        return format!("{}{prefix}s", four_digits(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as i64;
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3600 % 24, whole / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(value.abs())),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        // What Go prints with Prometheus's functions.
        let rows: &[(f64, &str, &str, &str)] = &[
            (0.0, "0", "0", "0s"),
            (1.0, "1", "1", "1s"),
            (-1.0, "-1", "-1", "-1s"),
            (1_234_567.0, "1.235M", "1.177Mi", "14d 6h 56m 7s"),
            (899.99, "900", "900", "14m 59s"),
            (999_960.0, "1000k", "976.5ki", "11d 13h 46m 0s"),
            (0.1, "100m", "0.1", "100ms"),
            (0.000_000_1, "100n", "1e-07", "100ns"),
            (12.3456, "12.35", "12.35", "12.35s"),
            (65.0, "65", "65", "1m 5s"),
            (3_661.0, "3.661k", "3.575ki", "1h 1m 1s"),
            (-86_400.0, "-86.4k", "-84.38ki", "-1d 0h 0m 0s"),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
            (f64::NAN, "NaN", "NaN", "NaN"),
            (1e30, "1e+06Y", "8.272e+05Yi", "106751991167300d 15h 30m 7s"),
        ];
        for (value, as_decimal, as_binary, as_duration) in rows {
            assert_eq!(decimal(*value), *as_decimal, "{value}");
            assert_eq!(binary(*value), *as_binary, "{value}");
            assert_eq!(duration(*value), *as_duration, "{value}");
        }
        assert_eq!(four_digits(12_345.0), "1.234e+04");
        assert_eq!(four_digits(0.000_012_345), "1.234e-05");
    }
}
