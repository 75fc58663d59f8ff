//! Lists of byte strings, any of which is found without reading the others.
//!
//! ```text
//! count u32 | end of each entry in the bytes, u32 | bytes
//! ```
//!
//! Invariant: whatever the bytes are, an entry is a part of them or an error.

use std::cmp::Ordering;

use super::fixed::{number32, rows};
use crate::codec::{Input, Malformed};
use crate::error::Error;

/// A list that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    ends: &'a [[u8; 4]],
    bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// The list that `bytes` hold.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let count = number32(&mut input)?;
        Ok(Self { ends: rows(&mut input, count)?, bytes: input.0 })
    }

    /// Number of entries.
    pub(super) fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    fn end(&self, number: u32) -> Option<usize> {
        self.ends.get(number as usize).map(|end| u32::from_le_bytes(*end) as usize)
    }

    /// An entry.
    pub(super) fn get(&self, number: u32) -> Result<&'a [u8], Malformed> {
        let start = number.checked_sub(1).map_or(Some(0), |before| self.end(before));
        let range = start.zip(self.end(number)).map(|(start, end)| start..end);
        range.and_then(|range| self.bytes.get(range)).ok_or(Malformed("an entry of a list"))
    }

    /// The number of the entry for which `compare` says equal; entries are in its order.
    pub(super) fn search(
        &self,
        compare: impl Fn(&'a [u8]) -> Result<Ordering, Malformed>,
    ) -> Result<Option<u32>, Malformed> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(self.get(middle)?)? {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }
}

/// A list that is written.
#[derive(Debug, Default)]
pub(super) struct TableWriter {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl TableWriter {
    /// Adds the entry that `put` appends.
    pub(super) fn push(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        put(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The bytes of the list; an error if they are more than its offsets can say.
    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        let limit = || Error::Limit("an index of a block with more than 4 GiB in a list".into());
        u32::try_from(self.bytes.len()).map_err(|_| limit())?;
        let mut out = u32::try_from(self.ends.len()).map_err(|_| limit())?.to_le_bytes().to_vec();
        out.extend(self.ends.iter().flat_map(|end| (*end as u32).to_le_bytes()));
        out.extend_from_slice(&self.bytes);
        Ok(out)
    }
}
