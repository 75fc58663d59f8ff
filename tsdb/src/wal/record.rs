//! The records of a commit's frame, and what the writer and the reader of a segment both count.
//!
//! Groups, columns, families and series are numbered in the order in which a segment defines
//! them, columns within their group. A segment defines all it uses, so it can be read without any
//! other, and nothing in it can be taken for something of another segment.

use crate::codec::text::LABELS_BYTES_MAX;
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};

/// Target labels: the next group.
pub(super) const GROUP: u8 = 1;
/// Family and own labels: the next columns of a group.
pub(super) const COLUMNS: u8 = 2;
/// Labels: the next series of loose samples.
pub(super) const SERIES: u8 = 3;
/// A row with the columns of the group's row before.
pub(super) const ROW: u8 = 4;
/// A row that names its columns.
pub(super) const ROW_OF_COLUMNS: u8 = 5;
/// A loose sample.
pub(super) const SAMPLE: u8 = 6;
/// Type, unit and help of a family.
pub(super) const METADATA: u8 = 7;
/// An exemplar of a series.
pub(super) const EXEMPLAR: u8 = 8;

/// Longest encoded own labels: those of the series, and the names of the target's that they hide.
pub(super) const OWN_LABELS_BYTES_MAX: usize = 2 * LABELS_BYTES_MAX;
/// Most cells that a row may have.
pub(super) const ROW_CELLS_MAX: usize = 1 << 24;

/// Label sets of neighbours begin alike: only what follows the common beginning is written.
#[derive(Debug, Default)]
pub(super) struct FrontCoding(Vec<u8>);

impl FrontCoding {
    /// Writes `bytes` as its difference to the ones before.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        let shared = self.0.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        put_varint(out, shared as u64);
        put_varint(out, (bytes.len() - shared) as u64);
        out.extend_from_slice(bytes.split_at(shared).1);
        self.0.clear();
        self.0.extend_from_slice(bytes);
    }

    /// Reads the next bytes.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Result<&[u8], Malformed> {
        let shared = input.size()?;
        let rest = input.count()?;
        if shared > self.0.len() || shared.saturating_add(rest) > OWN_LABELS_BYTES_MAX {
            return Err(Malformed("a label set that begins like the one before"));
        }
        self.0.truncate(shared);
        self.0.extend_from_slice(input.take(rest)?);
        Ok(&self.0)
    }
}
