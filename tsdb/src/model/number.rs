//! Floats as text, digit for digit as Go and Prometheus write and read them.
//!
//! All forms print the shortest digits that read back to the same float, of two that are as near
//! the even one; they differ in when they turn to an exponent. `zmij` gives the digits (Rust's own
//! `{}` takes the odd one, `691658773603723.3`); this file lays them out.

/// Reads a float as Go's `strconv.ParseFloat` does for decimal texts: `+Inf`, `infinity` and
/// `NaN` in any case, no underscores, no hexadecimal; a text too large for a float is refused.
/// `NaN` becomes [`NORMAL_NAN`](super::sample::NORMAL_NAN).
pub fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    if value.is_nan() {
        return text.eq_ignore_ascii_case("nan").then_some(super::sample::NORMAL_NAN);
    }
    let spelled_out = text.bytes().any(|b| b.eq_ignore_ascii_case(&b'n'));
    (value.is_finite() || spelled_out).then_some(value)
}

/// The API's form (Go's `'f'`; `'e'` below 1e-6 and from 1e21 on): `0.0001`, `1e-07`, `+Inf`.
pub fn format_json(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        format_exponent(value)
    } else {
        format_plain(value)
    }
}

/// Appends what [`format_json`] gives.
pub fn write_json(out: &mut String, value: f64) {
    let magnitude = value.abs();
    // In these bounds the buffer holds no exponent, and always a point.
    if (1e-5..1e15).contains(&magnitude) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        out.push_str(text.strip_suffix(".0").unwrap_or(text));
    } else if value.to_bits() == 0 {
        out.push('0');
    } else {
        out.push_str(&format_json(value));
    }
}

/// Go's `'f', -1`: never an exponent.
pub fn format_plain(value: f64) -> String {
    special(value).map_or_else(|| Digits::of(value).plain(), str::to_owned)
}

/// Go's `'g', -1`: an exponent below 1e-4 and from 1e6 on.
pub fn format_general(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        format_exponent(value)
    } else {
        format_plain(value)
    }
}

/// The form of `le` and `quantile` in OpenMetrics: Go's `'g'` with `.0` after whole numbers.
pub fn format_open_metrics(value: f64) -> String {
    let mut text = format_general(value);
    if !text.contains(['e', '.', 'N', 'I']) {
        text.push_str(".0");
    }
    text
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

/// Go's `'e', -1`: sign and at least two digits in the exponent (`1e+21`, `5e-324`).
fn format_exponent(value: f64) -> String {
    special(value).map_or_else(|| Digits::of(value).with_exponent(), str::to_owned)
}

/// A finite float in decimal: `0.digits` times ten to the power of `point`.
struct Digits {
    sign: &'static str,
    /// Without zeros in front and behind; nothing for zero.
    digits: String,
    point: i32,
}

impl Digits {
    fn of(value: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let before = whole.len() as i32 - (all.len() - digits.len()) as i32;
        let digits = digits.trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 1 } else { before + exponent };
        Self { sign: if value.is_sign_negative() { "-" } else { "" }, digits, point }
    }

    fn plain(&self) -> String {
        let Self { sign, digits, point } = self;
        let length = digits.len() as i32;
        let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
        if *point <= 0 {
            return format!("{sign}0.{}{digits}", zeros(-point));
        }
        if *point >= length {
            return format!("{sign}{digits}{}", zeros(point - length));
        }
        let (whole, fraction) = digits.split_at(*point as usize);
        format!("{sign}{whole}.{fraction}")
    }

    fn with_exponent(&self) -> String {
        let Self { sign, digits, point } = self;
        let (first, rest) = digits.split_at(digits.len().min(1));
        let separator = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{first}{separator}{rest}e{exponent_sign}{:0>2}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_what_is_formatted(
            bits in any::<u64>(), digits in -1_000_000_000..1_000_000_000_i64, exponent in -20..20_i32
        ) {
            let short = digits as f64 * 10_f64.powi(exponent);
            for value in [f64::from_bits(bits), short, digits as f64, 1.0 / digits as f64] {
                let mut written = String::new();
                write_json(&mut written, value);
                prop_assert_eq!(written, format_json(value));
                if value.is_finite() {
                    for text in [format_plain(value), format_exponent(value), format_general(value)] {
                        prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{}", text);
                    }
                    // Rust's own digits are as many.
                    prop_assert_eq!(format_plain(value).len(), format!("{value}").len());
                }
            }
        }
    }

    #[test]
    fn forms() {
        let rows = [
            (0.0, "0", "0", "0.0"),
            (-0.0, "-0", "-0", "-0.0"),
            (1.0, "1", "1", "1.0"),
            (0.3, "0.3", "0.3", "0.3"),
            (1e6, "1000000", "1e+06", "1e+06"),
            (999999.5, "999999.5", "999999.5", "999999.5"),
            (1234567.0, "1234567", "1.234567e+06", "1.234567e+06"),
            (1e20, "100000000000000000000", "1e+20", "1e+20"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (1e-5, "0.00001", "1e-05", "1e-05"),
            (1.5e-7, "1.5e-07", "1.5e-07", "1.5e-07"),
            (5e-324, "5e-324", "5e-324", "5e-324"),
            // Of two that are as near, Go takes the even one.
            (
                // …23.25
                f64::from_bits(4828888471102631002),
                "691658773603723.2",
                "6.916587736037232e+14",
                "6.916587736037232e+14",
            ),
            (
                // …23.75
                -f64::from_bits(4828888471102631006),
                "-691658773603723.8",
                "-6.916587736037238e+14",
                "-6.916587736037238e+14",
            ),
            (f64::NAN, "NaN", "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf", "-Inf"),
        ];
        for (value, json, general, open_metrics) in rows {
            assert_eq!(format_json(value), json);
            let mut written = String::from("x");
            write_json(&mut written, value);
            assert_eq!(written, format!("x{json}"));
            assert_eq!(format_general(value), general);
            assert_eq!(format_open_metrics(value), open_metrics);
        }
    }

    #[test]
    fn reading() {
        let rows = [
            ("1", Some(1.0)),
            ("+1.5e3", Some(1500.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+Inf", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("", None),
            ("0x10", None),
            ("1_000", None),
            ("+NaN", None),
            ("1 ", None),
        ];
        for (text, value) in rows {
            assert_eq!(parse_float(text), value, "{text}");
        }
        let nan = parse_float("nan").map(f64::to_bits);
        assert_eq!(nan, Some(0x7ff8_0000_0000_0001));
    }
}
