//! An entrance for benches: the columns of one window to bytes and back, hidden from the
//! documentation because nobody else has a use for it.
//!
//! It is what the head does when it seals a window, and what a reader does with the bytes. Codecs
//! are private and chosen by the data; `codecs` says which ones they were, so that a bench can
//! make sure that it measures what its name says.

#![expect(clippy::expect_used, reason = "bytes are those that were just written")]

use crate::append::Cell;
use crate::cell::StoredCell;
use crate::codec::Malformed;
use crate::codec::column::{EncodedWindow, Scratch};
use crate::column::Column;
use crate::sealed::{Sealed, SealedColumns};

/// An open window.
pub struct Columns {
    timestamps: Vec<i64>,
    columns: Vec<Column>,
    lower: Vec<Option<u32>>,
}

impl Columns {
    /// A window of at most 256 rows: rising timestamps (ms), the cells of each column, and of each
    /// column which one has values that are a little less, if any.
    pub fn new(timestamps: Vec<i64>, columns: &[Vec<Cell<'_>>], lower: Vec<Option<u32>>) -> Self {
        let column = |cells: &Vec<Cell<'_>>| {
            let mut column = Column::default();
            let cells = cells.iter().map(|cell| StoredCell::from(*cell)).enumerate();
            let there = cells.filter(|(_, cell)| !cell.is_absent());
            there.for_each(|(row, cell)| column.push(row, &cell));
            column
        };
        Self { timestamps, columns: columns.iter().map(column).collect(), lower }
    }

    /// Number of cells.
    pub fn samples(&self) -> usize {
        self.columns.iter().map(Column::samples).sum()
    }

    /// The window compressed.
    pub fn encode(&self) -> Vec<u8> {
        Sealed::new(&self.timestamps, &self.columns, &self.lower).bytes().to_vec()
    }

    /// Decodes all columns of bytes that [`Columns::encode`] made, one after the other, and says
    /// how many there are.
    ///
    /// # Panics
    /// If the bytes are others.
    pub fn decode(&self, bytes: &[u8], floats: &mut Vec<f64>) -> usize {
        let base = self.timestamps.first().copied().unwrap_or_default();
        floats.resize(self.timestamps.len(), 0.0);
        let mut read = || -> Result<usize, Malformed> {
            let mut scratch = Scratch::default();
            let mut reader = SealedColumns::open(bytes, base, &mut scratch)?;
            let mut read = 0;
            for number in 0..self.columns.len() {
                read += usize::from(reader.read(number, floats)?.is_some());
            }
            Ok(read)
        };
        read().expect("BUG: a window that was written is read")
    }

    /// The codec of each column of bytes that [`Columns::encode`] made.
    ///
    /// # Panics
    /// If the bytes are others.
    pub fn codecs(&self, bytes: &[u8]) -> Vec<String> {
        let window = EncodedWindow::open(bytes).expect("BUG: a window that was written opens");
        let codec = |number| window.codec(number).expect("BUG: a column that was written");
        (0..self.columns.len()).map(codec).collect()
    }
}
