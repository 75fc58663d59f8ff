//! Sizes: numbers of bytes with units.

use super::super::error::Problem;
use super::super::raw::given;
use super::super::yaml::Value;

/// Bytes, in the units of Prometheus (`alecthomas/units`): `10MB` and `10MiB` are both 10 · 1024²
/// bytes, `1.5GB` and `1GB512MB` are allowed, `0` needs no unit and means: no limit.
pub(super) fn bytes(field: &Option<Value<String>>) -> Result<Option<u64>, Problem> {
    let Some((text, place)) = given(field) else { return Ok(None) };
    let cure = "write a number with a unit, such as 10MB";
    let bytes = parse_bytes(text).map_err(|error| Problem::new(place, error, cure))?;
    Ok(Some(bytes).filter(|bytes| *bytes != 0))
}

/// As [`bytes`]; the error has Prometheus's words.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let (mut rest, mut total) = (text, 0_f64);
    while !rest.is_empty() || text.is_empty() {
        let number = |c: char| c.is_ascii_digit() || c == '.';
        let (digits, after) = rest.split_at(rest.find(|c| !number(c)).unwrap_or(rest.len()));
        let (unit, after) = after.split_at(after.find(number).unwrap_or(after.len()));
        let count: f64 = digits.parse().map_err(|_| format!("units: invalid {text}"))?;
        let scale = scale(unit).ok_or_else(|| format!("units: unknown unit {unit} in {text}"))?;
        total += count * scale;
        rest = after;
    }
    // 2^63: more does not fit into Go's int64.
    if total < 9_223_372_036_854_775_808.0 {
        Ok(total as u64)
    } else {
        Err(format!("units: overflow {text}"))
    }
}

/// How many bytes a unit has.
fn scale(unit: &str) -> Option<f64> {
    let prefix = unit.strip_suffix("iB").filter(|prefix| !prefix.is_empty());
    match prefix.or(unit.strip_suffix('B'))? {
        "" => Some(1.0),
        prefix => {
            let mut chars = prefix.chars();
            let power = "KMGTPE".find(chars.next()?)? as i32 + 1;
            chars.next().is_none().then(|| 1024_f64.powi(power))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let rows = [
            ("0", Ok(0)),
            ("100B", Ok(100)),
            ("10KB", Ok(10 << 10)),
            ("10MB", Ok(10 << 20)),
            ("10MiB", Ok(10 << 20)),
            ("1.5GB", Ok(3 << 29)),
            ("1GB512MB", Ok(3 << 29)),
            ("7EB", Ok(7 << 60)),
            ("100", Err("units: unknown unit  in 100")),
            ("10mb", Err("units: unknown unit mb in 10mb")),
            ("iB", Err("units: invalid iB")),
            ("1iB", Err("units: unknown unit iB in 1iB")),
            ("", Err("units: invalid ")),
            ("MB", Err("units: invalid MB")),
            ("-1MB", Err("units: invalid -1MB")),
            ("1..5MB", Err("units: invalid 1..5MB")),
            ("8EB", Err("units: overflow 8EB")),
            ("1é", Err("units: unknown unit é in 1é")),
        ];
        for (text, bytes) in rows {
            assert_eq!(parse_bytes(text), bytes.map_err(str::to_owned), "{text}");
        }
    }
}
