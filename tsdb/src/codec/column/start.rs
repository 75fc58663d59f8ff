//! The start timestamps of a column: each one with the row from which on it holds.
//!
//! Their number, then for each: rows since the one before (varint), and the start as its
//! difference to the one before, the first one's to the window's first timestamp (signed).
//! No start is written as the difference that gives `i64::MIN`.

use super::ROWS_MAX;
use crate::codec::varint::{put_signed, put_varint};
use crate::codec::{Input, Malformed};

/// Writes starts, rising by row.
pub(super) fn put(out: &mut Vec<u8>, starts: &[(u16, i64)], base: i64) {
    put_varint(out, starts.len() as u64);
    let (mut row, mut before) = (0, base);
    for (from, start) in starts {
        put_varint(out, u64::from(from - row));
        put_signed(out, start.wrapping_sub(before));
        (row, before) = (*from, *start);
    }
}

/// Reads starts to the end of `out`.
pub(super) fn read(
    input: &mut Input<'_>,
    base: i64,
    out: &mut Vec<(u16, i64)>,
) -> Result<(), Malformed> {
    let count = input.count()?;
    let (mut row, mut before) = (0, base);
    for number in 0..count {
        let rows = input.size()?;
        row = rows.checked_add(row).filter(|row| *row < ROWS_MAX).ok_or(Malformed("a row"))?;
        if number > 0 && rows == 0 {
            return Err(Malformed("rising rows"));
        }
        before = before.wrapping_add(input.signed()?);
        out.push((row as u16, before));
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
            starts in prop::collection::btree_map(0..ROWS_MAX as u16, any::<i64>(), 0..9),
            base: i64,
        ) {
            let starts: Vec<_> = starts.into_iter().collect();
            let (mut out, mut again) = (Vec::new(), Vec::new());
            put(&mut out, &starts, base);
            let mut input = Input(&out);
            read(&mut input, base, &mut again).unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(again, starts);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, base: i64) {
            let _ = read(&mut Input(&bytes), base, &mut Vec::new());
        }
    }
}
