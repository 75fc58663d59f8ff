//! A column's cell, written as its difference to the column's cell before.
//!
//! The writer and the reader both keep a [`CellState`] for each column. A cell that
//! [`is_unchanged`](CellState::is_unchanged) costs nothing (the row counts runs of them); another
//! one is a tag byte and what the tag asks for:
//!
//! ```text
//! 00         absent                        05  whole float: difference (signed varint) follows
//! 01         stale                         40 + 8·lead + trail   float: bits XOR the bits before,
//! 02         native histogram follows          without `lead` leading and `trail` trailing bytes
//! 03         start differs: difference     80 + d   whole float, d (0…127) more than before
//!            (signed varint), then a tag
//! 04         no start any more, then a tag
//! ```
//!
//! Whole means: both floats are integers below 2^53 and not −0.0, so that the difference gives
//! back the same bits.

use std::sync::Arc;

use super::histogram::{histogram, put_histogram};
use super::varint::{Input, Malformed, put_signed};
use crate::cell::{NO_START, Stored, StoredCell};

const ABSENT: u8 = 0x00;
const STALE: u8 = 0x01;
const HISTOGRAM: u8 = 0x02;
const START: u8 = 0x03;
const NO_START_ANY_MORE: u8 = 0x04;
const DIFFERENCE: u8 = 0x05;
const XOR: u8 = 0x40;
const SMALL_DIFFERENCE: u8 = 0x80;

/// What the last cell of a column was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CellState {
    kind: Kind,
    /// The last float's bits; they outlive absence and staleness.
    bits: u64,
    start: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Absent,
    Float,
    Stale,
    Histogram,
}

impl CellState {
    /// Before the first cell.
    pub(crate) const NEW: Self = Self { kind: Kind::Absent, bits: 0, start: NO_START };

    /// After a float without a start timestamp.
    pub(crate) fn float(value: f64) -> Self {
        Self { kind: Kind::Float, bits: value.to_bits(), start: NO_START }
    }

    /// The last cell, if it was a float without a start timestamp.
    pub(crate) fn plain(&self) -> Option<f64> {
        let is_plain = self.kind == Kind::Float && self.start == NO_START;
        is_plain.then_some(f64::from_bits(self.bits))
    }

    /// Whether `cell` repeats the last one.
    #[inline]
    pub(crate) fn is_unchanged(&self, cell: &StoredCell) -> bool {
        match cell.value {
            Stored::Float(value) => {
                self.kind == Kind::Float && self.bits == value.to_bits() && self.start == cell.start
            }
            Stored::Absent => self.kind == Kind::Absent,
            Stored::Stale => self.kind == Kind::Stale && self.start == cell.start,
            Stored::Histogram(_) => false,
        }
    }

    /// Writes `cell` and remembers it.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, cell: &StoredCell) {
        if !matches!(cell.value, Stored::Absent) && cell.start != self.start {
            self.put_start(out, cell.start);
        }
        self.kind = match &cell.value {
            Stored::Absent => {
                out.push(ABSENT);
                Kind::Absent
            }
            Stored::Stale => {
                out.push(STALE);
                Kind::Stale
            }
            Stored::Histogram(value) => {
                out.push(HISTOGRAM);
                put_histogram(out, value);
                Kind::Histogram
            }
            Stored::Float(value) => {
                put_float(out, &mut self.bits, *value);
                Kind::Float
            }
        };
    }

    fn put_start(&mut self, out: &mut Vec<u8>, start: i64) {
        if start == NO_START {
            out.push(NO_START_ANY_MORE);
        } else {
            out.push(START);
            put_signed(out, start.wrapping_sub(self.start_base()));
        }
        self.start = start;
    }

    fn start_base(&self) -> i64 {
        if self.start == NO_START { 0 } else { self.start }
    }

    /// Reads a cell that [`CellState::put`] wrote, and remembers it.
    pub(crate) fn read(&mut self, input: &mut Input<'_>) -> Result<StoredCell, Malformed> {
        let mut tag = input.byte()?;
        if tag == START {
            self.start = self.start_base().wrapping_add(input.signed()?);
            tag = input.byte()?;
        } else if tag == NO_START_ANY_MORE {
            self.start = NO_START;
            tag = input.byte()?;
        }
        let (kind, value) = match tag {
            ABSENT => (Kind::Absent, Stored::Absent),
            STALE => (Kind::Stale, Stored::Stale),
            HISTOGRAM => (Kind::Histogram, Stored::Histogram(Arc::new(histogram(input)?))),
            tag => (Kind::Float, Stored::Float(float(input, &mut self.bits, tag)?)),
        };
        self.kind = kind;
        Ok(self.with_start(value))
    }

    /// The last cell once more.
    #[inline]
    pub(crate) fn repeated(&self) -> Result<StoredCell, Malformed> {
        let value = match self.kind {
            Kind::Absent => Stored::Absent,
            Kind::Float => Stored::Float(f64::from_bits(self.bits)),
            Kind::Stale => Stored::Stale,
            Kind::Histogram => return Err(Malformed("a histogram, which is never unchanged")),
        };
        Ok(self.with_start(value))
    }

    fn with_start(&self, value: Stored) -> StoredCell {
        let is_absent = matches!(value, Stored::Absent);
        StoredCell { value, start: if is_absent { NO_START } else { self.start } }
    }
}

/// Writes a float as its difference to the float with the bits `before`, which it replaces.
pub(crate) fn put_float(out: &mut Vec<u8>, before: &mut u64, value: f64) {
    let bits = value.to_bits();
    let old = std::mem::replace(before, bits);
    if let (Some(old), Some(new)) = (whole(f64::from_bits(old)), whole(value)) {
        let difference = new - old;
        if (0..128).contains(&difference) {
            out.push(SMALL_DIFFERENCE | difference as u8);
        } else {
            out.push(DIFFERENCE);
            put_signed(out, difference);
        }
        return;
    }
    let xor = old ^ bits;
    let lead = (xor.leading_zeros() / 8).min(7);
    let trail = (xor.trailing_zeros() / 8).min(7 - lead);
    out.push(XOR | (lead << 3 | trail) as u8);
    out.extend_from_slice(&(xor << (8 * lead)).to_be_bytes());
    // The zeros behind what counts: `lead` shifted in, `trail` there before.
    out.truncate(out.len() - (lead + trail) as usize);
}

/// Reads a float whose tag was read already.
pub(crate) fn float(input: &mut Input<'_>, before: &mut u64, tag: u8) -> Result<f64, Malformed> {
    let old = whole(f64::from_bits(*before)).unwrap_or(0);
    let value = match tag {
        DIFFERENCE => old.wrapping_add(input.signed()?) as f64,
        SMALL_DIFFERENCE.. => (old + i64::from(tag - SMALL_DIFFERENCE)) as f64,
        XOR.. => f64::from_bits(*before ^ read_xor(input, tag)?),
        _ => return Err(Malformed("a cell's tag")),
    };
    *before = value.to_bits();
    Ok(value)
}

fn read_xor(input: &mut Input<'_>, tag: u8) -> Result<u64, Malformed> {
    let (lead, trail) = (usize::from(tag >> 3 & 7), usize::from(tag & 7));
    let length = 8_usize.checked_sub(lead + trail).filter(|length| *length > 0);
    let length = length.ok_or(Malformed("a float of eight bytes"))?;
    let bytes = input.take(length)?;
    let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Ok(value << (8 * trail))
}

/// The float as an integer, if that says everything about it.
pub(crate) fn whole(value: f64) -> Option<i64> {
    const LIMIT: i64 = 1 << 53;
    let integer = value as i64;
    let is_whole = (integer as f64).to_bits() == value.to_bits();
    (is_whole && -LIMIT < integer && integer < LIMIT).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Histogram;
    use proptest::prelude::*;

    fn any_float() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            any::<i32>().prop_map(f64::from),
            any::<u8>().prop_map(f64::from),
            prop::sample::select(vec![-0.0, 0.0, f64::NAN, f64::INFINITY, 9_007_199_254_740_993.0]),
        ]
    }

    fn any_cell() -> impl Strategy<Value = StoredCell> {
        let value = prop_oneof![
            Just(Stored::Absent),
            Just(Stored::Stale),
            any_float().prop_map(Stored::Float),
            any_float().prop_map(|sum| {
                Stored::Histogram(Arc::new(Histogram { sum, ..Histogram::default() }))
            }),
        ];
        (value, prop_oneof![Just(NO_START), -5..5_i64, any::<i64>()]).prop_map(|(value, start)| {
            let start = if matches!(value, Stored::Absent) { NO_START } else { start };
            StoredCell { value, start }
        })
    }

    #[test]
    fn bytes_of_floats() {
        let rows: [(f64, f64, &[u8]); 7] = [
            (0.0, 1.0, &[0x81]),
            (5.0, 132.0, &[0xff]),
            (5.0, 4.0, &[0x05, 1]),
            (0.0, 300.0, &[0x05, 0xd8, 0x04]),
            (0.0, -0.0, &[0x47, 0x80]),
            (0.5, 0.5, &[0x78, 0]),
            (0.0, 0.5, &[0x46, 0x3f, 0xe0]),
        ];
        for (before, value, bytes) in rows {
            let mut out = Vec::new();
            put_float(&mut out, &mut before.to_bits(), value);
            assert_eq!(out, bytes, "{before} → {value}");
        }
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(cells in prop::collection::vec(any_cell(), 0..20)) {
            let (mut writer, mut reader, mut out) = (CellState::NEW, CellState::NEW, Vec::new());
            for cell in &cells {
                let is_unchanged = writer.is_unchanged(cell);
                out.clear();
                let read = if is_unchanged {
                    reader.repeated().unwrap()
                } else {
                    writer.put(&mut out, cell);
                    reader.read(&mut Input(&out)).unwrap()
                };
                prop_assert!(read.value.is_same(&cell.value) && read.start == cell.start);
                prop_assert_eq!(writer, reader);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let (mut input, mut state) = (Input(&bytes), CellState::NEW);
            while state.read(&mut input).is_ok() {}
        }
    }
}
