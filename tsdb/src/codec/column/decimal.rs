//! Floats that were written with a few decimals (ALP, Afroozeh et al. 2023): `integer / 10^e`.
//!
//! Exponent (byte), number of exceptions (varint), for each the rows since the one before
//! (varint) and its bits (8 bytes), then the integers as a list. A row is no exception if its
//! integer, divided, gives the float back bit for bit; an exception repeats the integer before
//! it. With an exponent of 0 this is a column of integers with a NaN here and there.

use std::ops::Range;

use super::integers::{self, Plan};
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};

/// Powers of ten that a float holds exactly, as far as a column uses them.
const POWERS: [f64; 15] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
/// Integers below this are exact as floats.
const LIMIT: u64 = 1 << 53;
/// Floats that the exponent is chosen by.
const TRIALS: usize = 16;

/// The integer that gives `value` back.
fn integer(value: f64, power: f64) -> Option<i64> {
    let integer = (value * power).round_ties_even() as i64;
    let is_exact = (integer as f64 / power).to_bits() == value.to_bits();
    (is_exact && integer.unsigned_abs() < LIMIT).then_some(integer)
}

/// A column as decimals.
#[derive(Debug)]
pub(super) struct Decimals {
    exponent: usize,
    exceptions: Vec<(usize, u64)>,
    plan: Plan,
}

impl Decimals {
    /// `values` as decimals, if most of them are.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        let step = values.len().div_ceil(TRIALS).max(1);
        let trials = || values.iter().step_by(step).filter(|own| own.is_finite());
        let half = trials().count() / 2;
        let fits = |power: &f64| trials().filter(|own| integer(**own, *power).is_some()).count();
        let mut powers = POWERS.iter().enumerate();
        let (exponent, power) = powers.find(|(_, power)| fits(power) > half)?;
        // A few more decimals for the rest, if that spares an exception.
        let best = fits(power);
        let better = powers.take(3).find(|(_, power)| fits(power) > best);
        let (exponent, power) = better.unwrap_or((exponent, power));
        let mut exceptions = Vec::new();
        let mut before = values.iter().find_map(|own| integer(*own, *power))?;
        let mut own = |(row, value): (usize, &f64)| {
            match integer(*value, *power) {
                Some(integer) => before = integer,
                None => exceptions.push((row, value.to_bits())),
            }
            before
        };
        let integers: Vec<_> = values.iter().enumerate().map(&mut own).collect();
        if exceptions.len() > values.len() / 4 {
            return None;
        }
        Some(Self { exponent, exceptions, plan: Plan::new(&integers) })
    }

    /// Length of what [`Decimals::put`] writes, about.
    pub(super) fn bits(&self) -> u64 {
        16 + self.exceptions.len() as u64 * 72 + self.plan.bits
    }

    /// Writes the column.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.exponent as u8);
        put_varint(out, self.exceptions.len() as u64);
        let mut before = 0;
        for (row, bits) in &self.exceptions {
            put_varint(out, (row - before) as u64);
            out.extend_from_slice(&bits.to_le_bytes());
            before = *row;
        }
        self.plan.put(out);
    }
}

/// Reads `rows` of a column of `length`, which has the rest of the input; both buffers are as long as
/// `rows`.
pub(super) fn read(
    input: &mut Input<'_>,
    length: usize,
    rows: Range<usize>,
    integers: &mut [i64],
    out: &mut [f64],
) -> Result<(), Malformed> {
    let exponent = usize::from(input.byte()?);
    let power = POWERS.get(exponent).ok_or(Malformed("an exponent"))?;
    let count = input.count()?;
    let mut exceptions = *input;
    for _ in 0..count {
        input.varint()?;
        input.take(size_of::<u64>())?;
    }
    integers::read(input, length, rows.clone(), integers)?;
    for (value, integer) in out.iter_mut().zip(integers) {
        *value = *integer as f64 / power;
    }
    let mut row = 0;
    for _ in 0..count {
        row = exceptions.size()?.checked_add(row).ok_or(Malformed("a row"))?;
        let bits = exceptions.take(size_of::<u64>())?.first_chunk();
        if row >= length {
            return Err(Malformed("a row"));
        }
        if let Some(value) = row.checked_sub(rows.start).and_then(|row| out.get_mut(row)) {
            *value = bits.map_or(0.0, |bits| f64::from_bits(u64::from_le_bytes(*bits)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            exponent in 0..15_usize,
            parts in prop::collection::vec((-9_000_000..9_000_000_i64, 0..40_usize), 1..300),
        ) {
            const ODD: [f64; 6] =
                [-0.0, f64::NAN, f64::INFINITY, 1e300, 0.1234567891234567, 5e-324];
            let float = |(integer, odd): &(i64, usize)| {
                ODD.get(*odd).copied().unwrap_or(*integer as f64 / POWERS[exponent])
            };
            let values: Vec<f64> = parts.iter().map(float).collect();
            let Some(decimals) = Decimals::new(&values) else { return Ok(()) };
            let (mut out, mut again) = (Vec::new(), vec![7.0; values.len()]);
            decimals.put(&mut out);
            let length = values.len();
            read(&mut Input(&out), length, 0..length, &mut vec![0; length], &mut again).unwrap();
            let bits = |values: &[f64]| values.iter().map(|own| own.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&again), bits(&values));
            let rows = length / 3..length / 2;
            let part = &mut again[rows.clone()];
            part.fill(7.0);
            let mut room = vec![0; rows.len()];
            read(&mut Input(&out), length, rows.clone(), &mut room, part).unwrap();
            prop_assert_eq!(bits(part), bits(&values[rows]));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, length in 0..300_usize) {
            let (mut room, mut out) = (vec![0; length], vec![0.0; length]);
            let _ = read(&mut Input(&bytes), length, 0..length, &mut room, &mut out);
        }
    }

    #[test]
    fn decimals_are_found() {
        let gauge: Vec<f64> = (0..256).map(|row| f64::from(row * 37 % 1000) / 1000.0).collect();
        let decimals = Decimals::new(&gauge).unwrap();
        assert_eq!((decimals.exponent, decimals.exceptions.len()), (3, 0));
        assert!(decimals.bits() < 256 * 11);
        let random: Vec<f64> = (1..256).map(|row| f64::from(row).sqrt()).collect();
        assert!(Decimals::new(&random).is_none());
    }
}
