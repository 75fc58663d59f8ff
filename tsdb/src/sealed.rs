//! A full window, compressed.
//!
//! Nothing in the bytes changes any more. A cell that fills a sealed row later (a sender that
//! splits a row over requests, and is slow) decodes its column, and the column with the new cell
//! stands in front of the bytes from then on.
//!
//! Invariant: the bytes of a [`Sealed`] are those that [`encode_window`] wrote, so decoding them
//! cannot fail; [`SealedColumns`] also reads bytes of a file, of which nobody knows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::cell::{NO_START, Stored, StoredCell};
use crate::codec::Malformed;
use crate::codec::column::{Beside, Decoder, EncodedWindow, RowKind, Scratch, encode_window};
use crate::column::Column;
use crate::window::ReadColumn;

/// The bytes of a window, and what came later.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    bytes: Box<[u8]>,
    /// The first timestamp.
    base: i64,
    samples: usize,
    /// How many columns the bytes have.
    columns: usize,
    /// First row and number of rows of the columns that do not reach from the first row to the
    /// last one.
    partial: Vec<(u32, u16, u16)>,
    /// The columns that were filled since.
    filled: BTreeMap<usize, Column>,
}

impl Sealed {
    /// Compresses rows; `lower[i]` is the column whose values column `i` is expected to be a
    /// little more than.
    pub(crate) fn new(timestamps: &[i64], columns: &[Column], lower: &[Option<u32>]) -> Self {
        let kinds: Vec<_> = columns.iter().map(|column| column.kinds(timestamps.len())).collect();
        let lower = |number: usize| lower.get(number).copied().flatten().map(|own| own as usize);
        let floats: Vec<_> = columns.iter().map(Column::floats).collect();
        let parts = columns.iter().zip(&floats).zip(&kinds).enumerate();
        let inputs: Vec<_> = parts
            .map(|(number, ((column, floats), kinds))| {
                column.as_input(floats, kinds, lower(number))
            })
            .collect();
        let is_partial = |column: &Column| column.rows() != (0..timestamps.len());
        let partial = (0..).zip(columns).filter(|(_, column)| is_partial(column));
        let partial = partial.map(|(number, column)| {
            (number, column.rows().start as u16, column.rows().len() as u16)
        });
        Self {
            bytes: encode_window(timestamps, &inputs).into_boxed_slice(),
            base: timestamps.first().copied().unwrap_or_default(),
            samples: columns.iter().map(Column::samples).sum(),
            columns: columns.len(),
            partial: partial.collect(),
            filled: BTreeMap::new(),
        }
    }

    /// The rows with the filled columns among the others.
    pub(crate) fn without_filled(&self, lower: &[Option<u32>]) -> Cow<'_, Self> {
        if self.filled.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut scratch = Scratch::default();
        let end = self.filled.last_key_value().map_or(0, |(number, _)| number + 1);
        let mut reader = self.columns(&mut scratch);
        let columns: Vec<_> = (0..self.columns.max(end)).map(|own| reader.owned(own)).collect();
        Cow::Owned(Self::new(&self.timestamps(), &columns, lower))
    }

    /// The encoded window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The rows from the first to the last cell of each column.
    pub(crate) fn spans(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let rows = self.window().rows();
        let mut partial = self.partial.iter().peekable();
        (0..self.columns as u32).map(move |number| {
            let own = partial.next_if(|(own, ..)| *own == number);
            let (first, len) =
                own.map_or((0, rows), |(_, first, len)| (usize::from(*first), usize::from(*len)));
            first..first + len
        })
    }

    fn window(&self) -> EncodedWindow<'_> {
        in_memory(EncodedWindow::open(&self.bytes))
    }

    /// When the rows were taken, rising.
    pub(crate) fn timestamps(&self) -> Vec<i64> {
        in_memory(self.window().timestamps())
    }

    /// Adds a cell that is not absent to a row; the column has none there or later.
    pub(crate) fn push(&mut self, number: usize, row: usize, cell: &StoredCell) {
        if !self.filled.contains_key(&number) {
            let mut scratch = Scratch::default();
            let column = self.columns(&mut scratch).owned(number);
            self.filled.insert(number, column);
        }
        self.filled.entry(number).or_default().push(row, cell);
        self.samples += 1;
    }

    /// The columns, to be read.
    pub(crate) fn columns<'a>(&'a self, scratch: &'a mut Scratch) -> SealedColumns<'a> {
        self.columns_of(0..self.window().rows(), scratch)
    }

    /// Some rows of the columns, to be read.
    pub(crate) fn columns_of<'a>(
        &'a self,
        rows: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> SealedColumns<'a> {
        let decoder = Decoder::new(self.window(), self.base, rows, scratch);
        SealedColumns { decoder, filled: Some(&self.filled) }
    }

    /// Number of cells.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Number of columns that have cells.
    pub(crate) fn chunks(&self) -> usize {
        let empty = self
            .partial
            .iter()
            .filter(|(number, _, len)| *len == 0 && !self.filled.contains_key(&(*number as usize)));
        // A filled column may have been behind the end.
        self.columns - empty.count() + self.filled.range(self.columns..).count()
    }

    /// Bytes beside the struct itself, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let filled = self.filled.values().map(|own| size_of::<Column>() + own.heap_bytes());
        self.bytes.len() + self.partial.capacity() * 8 + filled.sum::<usize>()
    }
}

/// Reads columns of a sealed window. Buckets of a histogram are cheapest from the lowest to the
/// highest.
#[derive(Debug)]
pub(crate) struct SealedColumns<'a> {
    decoder: Decoder<'a, 'a>,
    filled: Option<&'a BTreeMap<usize, Column>>,
}

impl<'a> SealedColumns<'a> {
    /// Those of bytes that a file holds; `base` is the first timestamp.
    pub(crate) fn open(
        bytes: &'a [u8],
        base: i64,
        scratch: &'a mut Scratch,
    ) -> Result<Self, Malformed> {
        Self::open_rows(bytes, base, 0..usize::MAX, scratch)
    }

    /// Some rows of those.
    pub(crate) fn open_rows(
        bytes: &'a [u8],
        base: i64,
        rows: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> Result<Self, Malformed> {
        let window = EncodedWindow::open(bytes)?;
        Ok(Self { decoder: Decoder::new(window, base, rows, scratch), filled: None })
    }

    /// The rows that are read.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.decoder.rows()
    }

    /// A column that was filled since the window was sealed.
    pub(crate) fn filled(&self, number: usize) -> Option<&'a Column> {
        self.filled.and_then(|filled| filled.get(&number))
    }

    /// As [`Decoder::repeats`], of columns that were not filled.
    pub(crate) fn repeats(&mut self, number: usize, other: usize) -> Result<bool, Malformed> {
        self.decoder.repeats(number, other)
    }

    /// Decodes a column that was not filled as [`Decoder::read`] does.
    pub(crate) fn read(
        &mut self,
        number: usize,
        floats: &mut [f64],
    ) -> Result<Option<Beside>, Malformed> {
        self.decoder.read(number, floats)
    }

    /// A column, if it has cells here; for readers of all rows.
    pub(crate) fn column(&mut self, number: usize) -> Result<Option<ReadColumn<'a>>, Malformed> {
        if let Some(filled) = self.filled(number) {
            return Ok(Some(ReadColumn::Column(filled)));
        }
        let mut floats = vec![0.0; self.rows().len()];
        let beside = self.decoder.read(number, &mut floats)?;
        Ok(beside.map(|beside| ReadColumn::Decoded(Decoded { floats, beside })))
    }

    /// A column of a window in memory as one that cells can be added to.
    fn owned(&mut self, number: usize) -> Column {
        match in_memory(self.column(number)) {
            None => Column::default(),
            Some(ReadColumn::Column(column)) => column.clone(),
            Some(ReadColumn::Decoded(decoded)) => {
                Column::from_decoded(decoded.floats, decoded.beside)
            }
        }
    }
}

/// What was read of a window in memory; see the invariant above.
#[expect(clippy::expect_used, reason = "bytes in memory are those that were encoded")]
#[track_caller]
pub(crate) fn in_memory<T>(read: Result<T, Malformed>) -> T {
    read.expect("BUG: a window in memory is read")
}

/// A column as the codec gives it back: a float for each row, and the rest.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) floats: Vec<f64>,
    pub(crate) beside: Beside,
}

impl Decoded {
    /// The cell of a row, absent where there is none.
    pub(crate) fn cell(&self, row: usize) -> StoredCell {
        let value = match self.beside.kind(row) {
            RowKind::Absent => return StoredCell::ABSENT,
            RowKind::Stale => Stored::Stale,
            RowKind::Float => {
                self.floats.get(row).map_or(Stored::Absent, |own| Stored::Float(*own))
            }
            RowKind::Histogram => {
                self.beside.histogram(row).map_or(Stored::Absent, Stored::Histogram)
            }
        };
        let start = if matches!(value, Stored::Absent) { NO_START } else { self.beside.start(row) };
        StoredCell { value, start }
    }
}
