//! The timestamps of a window: the first one (signed), then the differences between neighbours
//! as a list of integers. A constant interval is a line.

use super::integers;
use crate::codec::varint::put_signed;
use crate::codec::{Input, Malformed};

/// Writes timestamps.
pub(super) fn put(out: &mut Vec<u8>, timestamps: &[i64]) {
    let Some(first) = timestamps.first() else { return };
    put_signed(out, *first);
    let steps = timestamps.iter().zip(timestamps.iter().skip(1));
    let steps: Vec<_> = steps.map(|(before, own)| own.wrapping_sub(*before)).collect();
    if !steps.is_empty() {
        integers::Plan::new(&steps).put(out);
    }
}

/// Reads as many timestamps as `out` has.
pub(super) fn read(input: &mut Input<'_>, out: &mut [i64]) -> Result<(), Malformed> {
    let Some((first, steps)) = out.split_first_mut() else { return Ok(()) };
    *first = input.signed()?;
    if !steps.is_empty() {
        integers::read(input, steps.len(), 0..steps.len(), steps)?;
    }
    let mut before = *first;
    for step in steps {
        before = before
            .checked_add(*step)
            .filter(|own| *own > before)
            .ok_or(Malformed("rising timestamps"))?;
        *step = before;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_constant_interval_takes_a_few_bytes() {
        let mut out = Vec::new();
        put(&mut out, &(0..256).map(|row| 1_795_474_800_000 + row * 5000).collect::<Vec<_>>());
        assert!(out.len() <= 10, "{} bytes", out.len());
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(
            first in -1_i64 << 60..1 << 60, jitter in prop::collection::vec(-3..4_i64, 0..300),
        ) {
            let timestamps: Vec<_> =
                jitter.iter().zip(0..).map(|(by, row)| first + row * 5000 + by).collect();
            let (mut out, mut read_again) = (Vec::new(), vec![7; timestamps.len()]);
            put(&mut out, &timestamps);
            let mut input = Input(&out);
            read(&mut input, &mut read_again).unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(read_again, timestamps);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, length in 0..300_usize) {
            let mut out = vec![0; length];
            if read(&mut Input(&bytes), &mut out).is_ok() {
                prop_assert!(out.is_sorted_by(|a, b| a < b));
            }
        }
    }
}
