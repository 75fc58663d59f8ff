//! What a store may use. A plain struct: whoever opens a store fills it in.

/// Bounds of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Series that have samples or are registered to get some; more are refused with
    /// [`Rejected::SeriesLimit`](crate::Rejected::SeriesLimit), and so are more groups than that.
    pub series_max: usize,
    /// Bytes after which a log segment ends (it may be longer by one commit).
    pub segment_bytes_max: u64,
    /// Metric families whose metadata is kept; the metadata of further ones is ignored.
    pub metadata_max: usize,
    /// Exemplars that are kept; the oldest make room.
    pub exemplars_max: usize,
    /// Rows of a window, 256 at most: so many samples of a series are compressed together.
    pub window_rows: usize,
    /// How much older than the newest sample of all a sample may be that is older than the newest
    /// of its series, in milliseconds; 0: none may.
    pub out_of_order_ms: i64,
    /// Samples in memory, from which on they are written to a block, or
    /// [`Options::flush_rows`] for each series if that is more.
    pub flush_samples: u64,
    /// See [`Options::flush_samples`].
    pub flush_rows: u64,
    /// Rows of each group that stay in memory then, and in the log, so that senders that split a
    /// row over requests find it.
    pub kept_rows: usize,
    /// Columns up to which a group stays one however few of them still get samples; one with more,
    /// most of which ended, is replaced by a new one, so that its memory is bounded.
    pub sparse_columns: usize,
    /// While the disk has no space, samples are taken into memory only, until there are so many
    /// there; 0: commits fail at once.
    pub unlogged_samples_max: u64,
    /// Longest time between the first and the last sample of a block that others are merged to, in
    /// milliseconds.
    pub block_span_max: i64,
    /// Longest block that others are merged to, in bytes.
    pub block_bytes_max: u64,
}

impl Default for Options {
    /// 5 million series, segments of 32 MiB, 100 000 families, 100 000
    /// exemplars (Prometheus's default), windows of 256 rows, nothing out of order, blocks from 3
    /// million samples (or 64 for each series) on that keep 4 rows in memory, merged up to 36 hours
    /// (a tenth of 15 days, as Prometheus) and 512 MiB.
    fn default() -> Self {
        Self {
            series_max: 5_000_000,
            segment_bytes_max: 32 << 20,
            metadata_max: 100_000,
            exemplars_max: 100_000,
            window_rows: 256,
            out_of_order_ms: 0,
            flush_samples: 3 << 20,
            flush_rows: 64,
            kept_rows: 4,
            sparse_columns: 256,
            unlogged_samples_max: 0,
            block_span_max: 36 * 3_600_000,
            block_bytes_max: 512 << 20,
        }
    }
}
