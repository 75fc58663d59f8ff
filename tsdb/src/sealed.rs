//! A full window, compressed.
//!
//! Nothing in the bytes changes any more. A cell that fills a sealed row later (a sender that
//! splits a row over requests, and is slow) decodes its column, and the column with the new cell
//! stands in front of the bytes from then on.
//!
//! Invariant: the bytes are those that [`encode_window`] wrote, so decoding them cannot fail.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cell::StoredCell;
use crate::codec::column::{Decoder, EncodedWindow, Scratch, encode_window};
use crate::column::Column;

/// The bytes of a window, and what came later.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    bytes: Box<[u8]>,
    /// The first timestamp.
    base: i64,
    samples: usize,
    /// The columns that were filled since.
    filled: BTreeMap<usize, Column>,
}

impl Sealed {
    /// Compresses rows; `lower[i]` is the column whose values column `i` is expected to be a
    /// little more than.
    pub(crate) fn new(timestamps: &[i64], columns: &[Column], lower: &[Option<u32>]) -> Self {
        let kinds: Vec<_> = columns.iter().map(|column| column.kinds(timestamps.len())).collect();
        let lower = |number: usize| lower.get(number).copied().flatten().map(|own| own as usize);
        let columns_and_kinds = columns.iter().zip(&kinds).enumerate();
        let inputs: Vec<_> = columns_and_kinds
            .map(|(number, (column, kinds))| column.as_input(kinds, lower(number)))
            .collect();
        Self {
            bytes: encode_window(timestamps, &inputs).into_boxed_slice(),
            base: timestamps.first().copied().unwrap_or_default(),
            samples: columns.iter().map(Column::samples).sum(),
            filled: BTreeMap::new(),
        }
    }

    fn window(&self) -> EncodedWindow<'_> {
        EncodedWindow::open(&self.bytes).expect("BUG: a sealed window opens")
    }

    /// When the rows were taken, rising.
    pub(crate) fn timestamps(&self) -> Vec<i64> {
        self.window().timestamps().expect("BUG: sealed timestamps are read")
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    pub(crate) fn push(&mut self, number: usize, row: usize, cell: &StoredCell) {
        if !self.filled.contains_key(&number) {
            let mut scratch = Scratch::default();
            let column = self.columns(&mut scratch).column(number);
            let column = column.map(Cow::into_owned).unwrap_or_default();
            self.filled.insert(number, column);
        }
        self.filled.entry(number).or_default().push(row, cell);
        self.samples += 1;
    }

    /// The columns, to be read.
    pub(crate) fn columns<'a>(&'a self, scratch: &'a mut Scratch) -> SealedColumns<'a> {
        let window = self.window();
        let decoder = Decoder::new(window, self.base, scratch);
        SealedColumns { rows: window.rows(), decoder, filled: &self.filled }
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes beside the struct itself, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let filled = self.filled.values().map(|own| size_of::<Column>() + own.heap_bytes());
        self.bytes.len() + filled.sum::<usize>()
    }
}

/// Reads columns of a sealed window. Buckets of a histogram are cheapest from the lowest to the
/// highest.
#[derive(Debug)]
pub(crate) struct SealedColumns<'a> {
    rows: usize,
    decoder: Decoder<'a, 'a>,
    filled: &'a BTreeMap<usize, Column>,
}

impl<'a> SealedColumns<'a> {
    /// A column, if it has cells here.
    pub(crate) fn column(&mut self, number: usize) -> Option<Cow<'a, Column>> {
        if let Some(filled) = self.filled.get(&number) {
            return Some(Cow::Borrowed(filled));
        }
        let mut floats = vec![0.0; self.rows];
        let beside = self.decoder.read(number, &mut floats);
        let beside = beside.expect("BUG: a sealed column is read")?;
        Some(Cow::Owned(Column::from_decoded(floats, beside)))
    }
}
