//! Lists of integers, which is what nearly every column becomes.
//!
//! 1. The list is made **residuals**: the first number apart, then differences in order; or, if
//!    that is cheaper (a gauge), all numbers as they are. Residuals are made unsigned by zigzag
//!    (0, −1, 1, −2 → 0, 1, 2, 3) or by taking the smallest one away from all.
//! 2. Equal differences are a **line**. Otherwise the residuals are written **sparse**
//!    (`sparse.rs`), **packed** (`packed.rs`) or as **Rice** codes (`rice.rs`), whichever the
//!    count of their widths says is the shortest.
//!
//! All arithmetic wraps, so every list of integers is exact. A list takes the rest of its input.

use std::ops::Range;

use super::bits::{BitReader, BitWriter};
use super::packed::{self, BLOCK};
use super::rice::{self, put_rice, rice};
use super::sparse::{self, Sparse};
use super::widths::{Widths, width};
use crate::codec::varint::{put_signed, unzigzag, zigzag};
use crate::codec::{Input, Malformed};

const LINE: u8 = 0;
const SPARSE: u8 = 1;
const PACKED: u8 = 2;
const RICE: u8 = 3;
const CODER: u8 = 3;
/// Residuals are the numbers themselves.
const OF_VALUES: u8 = 4;
/// Residuals are zigzagged.
const ZIGZAG: u8 = 8;
/// The smallest residual, which was taken away, is not zero and follows.
const BASE: u8 = 16;
const ALL: u8 = CODER | OF_VALUES | ZIGZAG | BASE;

/// How a list is written, and its residuals.
#[derive(Debug)]
pub(super) struct Plan {
    first: i64,
    shape: Shape,
    residuals: Vec<u64>,
    coder: Coder,
    /// Length of what [`Plan::put`] writes, about.
    pub(super) bits: u64,
}

/// How residuals were made.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    of_values: bool,
    zigzag: bool,
    base: i64,
}

#[derive(Debug)]
enum Coder {
    Line(i64),
    Sparse(Sparse),
    /// The width of each block.
    Packed(Vec<u32>),
    Rice(u32),
}

impl Plan {
    /// The shortest way to write `values`; there is one at least.
    pub(super) fn new(values: &[i64]) -> Self {
        let first = values.first().copied().unwrap_or_default();
        let differences = values.iter().zip(values.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
        let (least, most) = extremes(differences.clone());
        if least == most || values.len() < 2 {
            let step = if values.len() < 2 { 0 } else { least };
            let coder = Coder::Line(step);
            return Self { first, shape: Shape::default(), residuals: Vec::new(), coder, bits: 32 };
        }
        let of_differences = if least < 0 {
            let shape = Shape { zigzag: true, ..Shape::default() };
            Self::with(first, shape, differences.map(zigzag).collect())
        } else {
            let shape = Shape { base: least, ..Shape::default() };
            let residuals = differences.map(|own| own.wrapping_sub(least) as u64);
            Self::with(first, shape, residuals.collect())
        };
        if least >= 0 {
            return of_differences;
        }
        let (base, _) = extremes(values.iter().copied());
        let shape = Shape { of_values: true, zigzag: false, base };
        let residuals = values.iter().map(|own| own.wrapping_sub(base) as u64).collect();
        let of_values = Self::with(first, shape, residuals);
        if of_values.bits < of_differences.bits { of_values } else { of_differences }
    }

    fn with(first: i64, shape: Shape, residuals: Vec<u64>) -> Self {
        let blocks: Vec<_> = residuals.chunks(BLOCK).map(Widths::of).collect();
        let mut widths = Widths::of(&[]);
        blocks.iter().for_each(|block| widths.add(block));
        let (sparse, sparse_bits) = Sparse::choose(&widths);
        let (mut coder, mut bits) = (Coder::Sparse(sparse), sparse_bits);
        // Mostly zeros: nothing is shorter than sparse.
        if widths.zeros() * 4 < widths.total() * 3 {
            let (k, rice_bits) = rice::choose(&widths);
            if rice_bits + 8 < bits {
                (coder, bits) = (Coder::Rice(k), rice_bits + 8);
            }
            let packed: Vec<_> = blocks.iter().map(packed::choose).collect();
            let packed_bits = packed.iter().map(|(_, bits)| bits).sum();
            if packed_bits <= bits {
                let widths = packed.into_iter().map(|(width, _)| width).collect();
                (coder, bits) = (Coder::Packed(widths), packed_bits);
            }
        }
        let first_bits = if shape.of_values { 8 } else { 8 * varint_length(zigzag(first)) };
        Self { first, shape, residuals, coder, bits: bits + first_bits + 24 }
    }

    /// Writes the list.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let coder = match self.coder {
            Coder::Line(_) => LINE,
            Coder::Sparse(_) => SPARSE,
            Coder::Packed(_) => PACKED,
            Coder::Rice(_) => RICE,
        };
        let Shape { of_values, zigzag, base } = self.shape;
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        out.push(coder | flag(of_values, OF_VALUES) | flag(zigzag, ZIGZAG) | flag(base != 0, BASE));
        if !of_values {
            put_signed(out, self.first);
        }
        if base != 0 {
            put_signed(out, base);
        }
        match &self.coder {
            Coder::Line(step) => put_signed(out, *step),
            Coder::Sparse(sparse) => sparse.put(out, &self.residuals),
            Coder::Packed(widths) => {
                for (block, width) in self.residuals.chunks(BLOCK).zip(widths) {
                    packed::put_block(out, block, *width);
                }
            }
            Coder::Rice(k) => {
                out.push(*k as u8);
                let mut bits = BitWriter::new(out);
                for residual in &self.residuals {
                    put_rice(&mut bits, *residual, *k);
                }
                bits.finish();
            }
        }
    }
}

/// Bytes of a varint.
fn varint_length(value: u64) -> u64 {
    u64::from(width(value).div_ceil(7).max(1))
}

/// The least and the greatest, both 0 if there is nothing.
fn extremes(values: impl Iterator<Item = i64>) -> (i64, i64) {
    let (least, most) =
        values.fold((i64::MAX, i64::MIN), |(least, most), own| (least.min(own), most.max(own)));
    if least > most { (0, 0) } else { (least, most) }
}

/// The name of a list's coder, which its first byte says.
pub(super) fn coder(flags: u8) -> &'static str {
    match flags & CODER {
        LINE => "line",
        SPARSE => "sparse",
        PACKED => "packed",
        _ => "rice",
    }
}

/// Reads the numbers `rows` of a list of `length`, which has the rest of the input; `out` is as long
/// as `rows`.
pub(super) fn read(
    input: &mut Input<'_>,
    length: usize,
    rows: Range<usize>,
    out: &mut [i64],
) -> Result<(), Malformed> {
    let flags = input.byte()?;
    if flags & !ALL != 0 {
        return Err(Malformed("a list's flags"));
    }
    let of_values = flags & OF_VALUES != 0;
    let first = if of_values { 0 } else { input.signed()? };
    let is_zigzag = flags & ZIGZAG != 0;
    let base = if flags & BASE != 0 { input.signed()? } else { 0 };
    let residuals = Residuals { coder: flags & CODER, is_zigzag, base, are_summed: !of_values };
    if of_values {
        return residuals.read(input, length, rows, out).map(|_| ());
    }
    // Number `i` is the first one and the residuals before `i`.
    let Some((own, rest)) = out.split_first_mut() else { return Ok(()) };
    let before = residuals.read(input, length.saturating_sub(1), rows.start..rows.end - 1, rest)?;
    *own = first.wrapping_add(before);
    let mut sum = *own;
    for value in rest {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
    Ok(())
}

/// How residuals are written.
#[derive(Clone, Copy)]
struct Residuals {
    coder: u8,
    is_zigzag: bool,
    base: i64,
    /// Whether somebody asks for the sum of those that are passed over.
    are_summed: bool,
}

impl Residuals {
    /// Reads the residuals `rows` of a list of `length`; the sum of those before.
    fn read(
        self,
        input: &mut Input<'_>,
        length: usize,
        rows: Range<usize>,
        out: &mut [i64],
    ) -> Result<i64, Malformed> {
        let Self { coder, is_zigzag, base, .. } = self;
        let times = |residual: i64| residual.wrapping_mul(rows.start as i64);
        match coder {
            LINE => {
                let step = input.signed()?;
                out.fill(step);
                Ok(times(step))
            }
            SPARSE => {
                out.fill(base);
                let mut before = times(base);
                sparse::read_each(input, length, rows.end, |at, value| {
                    let own = signed(value, is_zigzag, base);
                    match at.checked_sub(rows.start).and_then(|at| out.get_mut(at)) {
                        Some(residual) => *residual = own,
                        None => before = before.wrapping_add(own.wrapping_sub(base)),
                    }
                })?;
                Ok(before)
            }
            PACKED => self.packed(input, length, rows, out),
            _ => {
                let k = rice::parameter(input.byte()?)?;
                let mut bits = BitReader::new(input.take(input.0.len())?);
                let mut before = 0_i64;
                for _ in 0..rows.start {
                    before = before.wrapping_add(signed(rice(&mut bits, k), is_zigzag, base));
                }
                for residual in out {
                    *residual = signed(rice(&mut bits, k), is_zigzag, base);
                }
                bits.check().map(|()| before)
            }
        }
    }

    fn packed(
        self,
        input: &mut Input<'_>,
        length: usize,
        rows: Range<usize>,
        out: &mut [i64],
    ) -> Result<i64, Malformed> {
        let (mut block, mut before) = ([0; BLOCK], 0_i64);
        for start in (0..length.min(rows.end)).step_by(BLOCK) {
            let block = block.get_mut(..BLOCK.min(length - start)).unwrap_or_default();
            if start + block.len() <= rows.start && !self.are_summed {
                packed::skip_block(input, block.len())?;
                continue;
            }
            packed::read_block(input, block)?;
            for (at, value) in (start..).zip(block) {
                let own = signed(*value, self.is_zigzag, self.base);
                match at.checked_sub(rows.start) {
                    None => before = before.wrapping_add(own),
                    Some(at) => {
                        if let Some(residual) = out.get_mut(at) {
                            *residual = own;
                        }
                    }
                }
            }
        }
        Ok(before)
    }
}

#[inline]
fn signed(residual: u64, is_zigzag: bool, base: i64) -> i64 {
    if is_zigzag { unzigzag(residual) } else { base.wrapping_add(residual as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lists() -> impl Strategy<Value = Vec<i64>> {
        let steps = prop_oneof![
            Just(vec![0, 0, 0, 0, 0, 0, 0, 1]),
            Just(vec![0, 1, 2, 5, 900]),
            Just(vec![-3, 2, 0, 1]),
            Just(vec![1 << 43, 3 << 41, 0]),
            Just(vec![0, 1, i64::MIN]),
            Just(vec![5000]),
            prop::collection::vec(any::<i64>(), 1..9),
        ];
        let list = |steps: Vec<i64>| prop::collection::vec(prop::sample::select(steps), 1..400);
        let as_sums = |(first, steps): (i64, Vec<i64>)| {
            let next = |sum: &mut i64, step: &i64| {
                *sum = sum.wrapping_add(*step);
                Some(*sum)
            };
            steps.iter().scan(first, next).collect::<Vec<_>>()
        };
        prop_oneof![
            steps.clone().prop_flat_map(list),
            (any::<i64>(), steps.prop_flat_map(list)).prop_map(as_sums),
        ]
    }

    #[test]
    fn lists_take_no_more_bytes_than_this() {
        let counter = |every: usize, by: i64| {
            let step = move |sum: &mut i64, row: usize| {
                *sum += if row % every == every - 1 { by } else { 0 };
                Some(*sum)
            };
            (0..256).scan(0, step).collect::<Vec<i64>>()
        };
        let rows = [
            ("a line", (0..256).map(|row| row * 5000).collect(), 4),
            ("one change", counter(200, 1), 7),
            ("a change in ten rows", counter(10, 1), 24),
            ("a change in two rows", counter(2, 3), 72),
            ("every row", counter(1, 1), 4),
            ("a gauge", (0..256).map(|row| 1000 + row * 7 % 16).collect(), 140),
        ];
        for (name, values, limit) in rows {
            let mut out = Vec::new();
            Plan::new(&values).put(&mut out);
            assert!(out.len() <= limit, "{name}: {} bytes", out.len());
        }
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(values in lists()) {
            let (mut out, mut read_again) = (Vec::new(), vec![7; values.len()]);
            Plan::new(&values).put(&mut out);
            let mut input = Input(&out);
            let length = values.len();
            read(&mut input, length, 0..length, &mut read_again).unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(&read_again, &values);
            for (start, end) in [(0, 1), (length / 3, length), (length / 2, length * 2 / 3 + 1)] {
                let part = &mut read_again[..end - start];
                read(&mut Input(&out), length, start..end, part).unwrap();
                prop_assert_eq!(part, &values[start..end]);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            bytes: Vec<u8>, length in 0..300_usize, start in 0..300_usize,
        ) {
            let rows = start.min(length)..length;
            let _ = read(&mut Input(&bytes), length, rows.clone(), &mut vec![0; rows.len()]);
        }
    }
}
