//! Start timestamps of loaded samples: `metric{…}@st <offsets>` before a series' own line.
//!
//! Offsets are durations from each sample's time, `_` is none, `*` the one before; `xN` repeats
//! as it does for values, `-1m-1mx3` adds a step each time. A line with `@st` alone holds for all
//! following series that have none of their own, from the first offset again when they are used
//! up.

use tsdb::model::Timestamp;
use tsdb::model::duration::parse_duration;

/// Most offsets that one line may expand to.
const OFFSETS_MAX: usize = 1_000_000;

/// Offsets of start timestamps, one for each sample.
#[derive(Debug, Default)]
pub(super) struct Starts(Vec<Option<i64>>);

impl Starts {
    /// The metric (empty: all) and its offsets, if `line` is such a line.
    pub(super) fn parse(line: &str) -> Result<Option<(&str, Self)>, String> {
        let Some((head, rest)) = line.split_once(char::is_whitespace) else { return Ok(None) };
        let Some(metric) = head.strip_suffix("@st") else { return Ok(None) };
        let mut offsets: Vec<Option<i64>> = Vec::new();
        for item in rest.split_whitespace() {
            let before = offsets.iter().rev().find_map(|offset| *offset).unwrap_or(0);
            let (first, step, times) = parse_item(item, before)
                .ok_or_else(|| format!("invalid start timestamp \"{item}\""))?;
            if offsets.len().saturating_add(times) > OFFSETS_MAX {
                return Err(format!("more than {OFFSETS_MAX} start timestamps"));
            }
            let own = (0..times as i64).map(|time| first.map(|first| first + time * step));
            offsets.extend(own);
        }
        Ok(Some((metric, Self(offsets))))
    }

    /// The start of sample `index`, which was taken at `time`.
    pub(super) fn at(&self, index: usize, time: Timestamp) -> Option<Timestamp> {
        let offset = *self.0.get(index % self.0.len().max(1))?;
        offset.map(|offset| time.plus_ms(offset))
    }
}

/// The first offset, the step to the next one, and how many there are.
fn parse_item(item: &str, before: i64) -> Option<(Option<i64>, i64, usize)> {
    let (item, repeat) = match item.split_once('x') {
        Some((item, count)) => (item, Some(count.parse::<usize>().ok()?)),
        None => (item, None),
    };
    let times = repeat.map_or(1, |count| count.saturating_add(1));
    match item {
        "_" => Some((None, 0, repeat.unwrap_or(1))),
        "*" => Some((Some(before), 0, times)),
        _ => {
            let (first, rest) = signed_duration(item)?;
            if rest.is_empty() {
                return Some((Some(first), 0, times));
            }
            let (step, rest) = signed_duration(rest)?;
            (rest.is_empty() && repeat.is_some()).then_some((Some(first), step, times))
        }
    }
}

/// A duration with one unit at the start of the text, and what follows it.
fn signed_duration(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let unit = unsigned[digits..].find(|c: char| !c.is_ascii_alphabetic());
    let (duration, rest) = unsigned.split_at(unit.map_or(unsigned.len(), |unit| digits + unit));
    let ms = parse_duration(duration).ok()?;
    Some((if text.starts_with('-') { -ms } else { ms }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let rows: [(&str, &[Option<i64>]); 6] = [
            ("m@st -1m _ 0s", &[Some(-60_000), None, Some(0)]),
            ("@st -1mx2", &[Some(-60_000); 3]),
            ("m{a=\"b\"}@st -1m-1mx2", &[Some(-60_000), Some(-120_000), Some(-180_000)]),
            ("m@st _x2 30s", &[None, None, Some(30_000)]),
            ("m@st 0", &[Some(0)]),
            ("m@st -30s * *x1", &[Some(-30_000); 4]),
        ];
        for (line, offsets) in rows {
            let (_, starts) = Starts::parse(line).unwrap().unwrap();
            assert_eq!(starts.0, offsets, "{line}");
        }
        assert!(Starts::parse("m 1 2").unwrap().is_none());
        assert!(Starts::parse("m@st 1y2").is_err());
    }
}
