//! Numbers as the exporters' client libraries write them.
//!
//! Both libraries print the shortest decimal that reads back as the same float, and go over to an
//! exponent of at least two digits at 1e6 and below 1e-4. Python's (`floatToGoString` of
//! prometheus_client 0.26) keeps a decimal point where there is no exponent ("8.0"); Go's
//! (`strconv` format `g`) does not ("8").

use std::fmt::Write;

/// Which client library's habits a page follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `prometheus_client` of Python.
    Python,
    /// `client_golang`.
    Go,
}

/// From here on numbers are written with an exponent (both libraries).
const EXPONENT_FROM: f64 = 1e6;

/// Below this, zero apart, numbers are written with an exponent (both libraries).
const EXPONENT_BELOW: f64 = 1e-4;

/// Writes a count; the same text as [`write_float`] of it, but faster for the small ones.
pub(crate) fn write_count(out: &mut String, count: u64, style: Style) {
    if count as f64 >= EXPONENT_FROM {
        return write_exponent(out, count as f64);
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "{count}");
    if style == Style::Python {
        out.push_str(".0");
    }
}

/// Writes a finite float (or "+Inf").
pub(crate) fn write_float(out: &mut String, value: f64, style: Style) {
    let magnitude = value.abs();
    if value == f64::INFINITY {
        out.push_str("+Inf");
    } else if magnitude >= EXPONENT_FROM || (magnitude < EXPONENT_BELOW && magnitude > 0.0) {
        write_exponent(out, value);
    } else if value.fract() == 0.0 && value >= 0.0 {
        write_count(out, value as u64, style);
    } else {
        let _ = write!(out, "{value}");
        if style == Style::Python && value.fract() == 0.0 {
            out.push_str(".0");
        }
    }
}

/// Rust writes 1.5e9 and 4e-5; the libraries write 1.5e+09 and 4e-05.
fn write_exponent(out: &mut String, value: f64) {
    let start = out.len();
    let _ = write!(out, "{value:e}");
    let Some(mark) = out[start..].find('e') else { return };
    let exponent: i32 = out[start + mark + 1..].parse().unwrap_or(0);
    out.truncate(start + mark);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.abs());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_the_libraries_do() {
        let rows: &[(f64, &str, &str)] = &[
            (0.0, "0.0", "0"),
            (8.0, "8.0", "8"),
            (0.3, "0.3", "0.3"),
            (2560.0, "2560.0", "2560"),
            (999_999.0, "999999.0", "999999"),
            (999_999.5, "999999.5", "999999.5"),
            (1e6, "1e+06", "1e+06"),
            (1_234_567.0, "1.234567e+06", "1.234567e+06"),
            (1_795_494_103.3045406, "1.7954941033045406e+09", "1.7954941033045406e+09"),
            (1.2e10, "1.2e+10", "1.2e+10"),
            (0.0001, "0.0001", "0.0001"),
            (4.0636e-5, "4.0636e-05", "4.0636e-05"),
            (-3.0, "-3.0", "-3"),
            (f64::INFINITY, "+Inf", "+Inf"),
        ];
        for (value, python, go) in rows {
            for (style, expected) in [(Style::Python, python), (Style::Go, go)] {
                let mut out = String::new();
                write_float(&mut out, *value, style);
                assert_eq!(&out, expected, "{value} in {style:?}");
                assert_eq!(out.parse::<f64>().expect("a float"), *value);
            }
        }
    }
}
