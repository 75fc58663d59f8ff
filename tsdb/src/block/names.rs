//! The label index of a block: name → value → numbers (of definitions or of groups).
//!
//! ```text
//! a list of names, in the order of their symbols:
//!   symbol u32 | length u32 of all | all numbers under the name, a roaring bitmap |
//!   a list of values, in the order of their symbols: symbol u32 | numbers, a roaring bitmap
//! ```

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::fixed::number32;
use super::table::{Table, TableWriter};
use crate::codec::{Input, Malformed};
use crate::error::Error;

/// The index being written.
#[derive(Debug, Default)]
pub(super) struct NamesWriter(BTreeMap<u32, BTreeMap<u32, RoaringBitmap>>);

impl NamesWriter {
    /// Adds a number with its pairs of symbols.
    pub(super) fn insert(&mut self, number: u32, pairs: &[(u32, u32)]) {
        for (name, value) in pairs {
            self.0.entry(*name).or_default().entry(*value).or_default().insert(number);
        }
    }

    /// The bytes.
    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        let mut names = TableWriter::default();
        for (name, values) in self.0 {
            let all: RoaringBitmap =
                values.values().fold(RoaringBitmap::new(), |all, own| all | own);
            let mut table = TableWriter::default();
            for (value, numbers) in &values {
                table.push(|out| {
                    out.extend_from_slice(&value.to_le_bytes());
                    put_bitmap(out, numbers);
                });
            }
            let values = table.finish()?;
            names.push(|out| {
                out.extend_from_slice(&name.to_le_bytes());
                // A bitmap of numbers below 2^32 takes 512 MiB and a few heads at most.
                out.extend_from_slice(&(all.serialized_size() as u32).to_le_bytes());
                put_bitmap(out, &all);
                out.extend_from_slice(&values);
            });
        }
        names.finish()
    }
}

#[expect(clippy::expect_used, reason = "writing to memory does not fail")]
fn put_bitmap(out: &mut Vec<u8>, numbers: &RoaringBitmap) {
    numbers.serialize_into(out).expect("BUG: memory takes any bytes");
}

fn bitmap(bytes: &[u8]) -> Result<RoaringBitmap, Malformed> {
    RoaringBitmap::deserialize_from(bytes).map_err(|_| Malformed("a roaring bitmap"))
}

/// The index being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a>(Table<'a>);

impl<'a> Names<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Table::open(bytes).map(Self)
    }

    /// The symbols of all names.
    pub(super) fn symbols(self) -> impl Iterator<Item = Result<u32, Malformed>> + 'a {
        (0..self.0.len()).map(move |entry| number32(&mut Input(self.0.get(entry)?)))
    }

    /// What stands under a name, if anything does.
    pub(super) fn find(self, symbol: u32) -> Result<Option<Values<'a>>, Malformed> {
        let entry = find(self.0, symbol)?;
        entry.map(Values::open).transpose()
    }
}

/// The entry of a list that begins with a symbol, behind that.
fn find(table: Table<'_>, symbol: u32) -> Result<Option<&[u8]>, Malformed> {
    let entry = table.search(|entry| Ok(number32(&mut Input(entry))?.cmp(&symbol)))?;
    let Some(entry) = entry else { return Ok(None) };
    Ok(table.get(entry)?.get(4..))
}

/// The values of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    all: &'a [u8],
    values: Table<'a>,
}

impl<'a> Values<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Input(bytes);
        let length = number32(&mut input)?;
        let all = input.take(length as usize)?;
        Ok(Self { all, values: Table::open(input.0)? })
    }

    /// Every number under the name.
    pub(super) fn all(self) -> Result<RoaringBitmap, Malformed> {
        bitmap(self.all)
    }

    /// The numbers with a value.
    pub(super) fn of(self, symbol: u32) -> Result<RoaringBitmap, Malformed> {
        find(self.values, symbol)?.map_or_else(|| Ok(RoaringBitmap::new()), bitmap)
    }

    /// The symbols of all values.
    pub(super) fn symbols(self) -> impl Iterator<Item = Result<u32, Malformed>> + 'a {
        (0..self.values.len()).map(move |entry| number32(&mut Input(self.values.get(entry)?)))
    }

    /// The numbers whose value's symbol is wanted.
    pub(super) fn filter(
        self,
        mut is_wanted: impl FnMut(u32) -> Result<bool, Malformed>,
    ) -> Result<RoaringBitmap, Malformed> {
        let mut found = RoaringBitmap::new();
        for entry in 0..self.values.len() {
            let mut input = Input(self.values.get(entry)?);
            if is_wanted(number32(&mut input)?)? {
                found |= bitmap(input.0)?;
            }
        }
        Ok(found)
    }
}
