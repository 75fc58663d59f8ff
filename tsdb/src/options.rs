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
}

impl Default for Options {
    /// 5 million series, segments of 32 MiB, 100 000 families, 100 000 exemplars (Prometheus's default), windows of 256 rows.
    fn default() -> Self {
        Self {
            series_max: 5_000_000,
            segment_bytes_max: 32 << 20,
            metadata_max: 100_000,
            exemplars_max: 100_000,
            window_rows: 256,
        }
    }
}
