//! How wide the numbers of a list are, which is all that a packing is chosen by.

/// Bits that a number needs; none for 0.
#[inline]
pub(super) fn width(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// How many numbers have each width.
#[derive(Clone, Debug)]
pub(super) struct Widths {
    counts: [u32; 65],
    total: u32,
}

impl Widths {
    /// Those of `values`.
    #[expect(clippy::indexing_slicing, reason = "a width is one of 65")]
    pub(super) fn of(values: &[u64]) -> Self {
        let mut counts = [0; 65];
        for value in values {
            counts[width(*value) as usize] += 1;
        }
        Self { counts, total: values.len() as u32 }
    }

    /// Adds those of another list.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            *own += other;
        }
        self.total += other.total;
    }

    /// Number of numbers.
    pub(super) fn total(&self) -> u64 {
        u64::from(self.total)
    }

    /// Number of zeros.
    pub(super) fn zeros(&self) -> u64 {
        self.count(0)
    }

    /// Number of those of a width.
    pub(super) fn count(&self, width: u32) -> u64 {
        self.counts.get(width as usize).map_or(0, |count| u64::from(*count))
    }

    /// Those that are not zero, each one less.
    pub(super) fn without_zeros(mut self) -> Self {
        self.total -= self.counts[0];
        self.counts[0] = 0;
        // 1 becomes 0; for wider ones, one less hardly ever changes the width.
        self.counts.swap(0, 1);
        self
    }

    /// Each width that occurs with its number.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let counts = (0..).zip(&self.counts);
        counts.filter(|(_, count)| **count > 0).map(|(width, count)| (width, u64::from(*count)))
    }

    /// The widest; 0 if there is none.
    pub(super) fn max(&self) -> u32 {
        self.counts.iter().rposition(|count| *count > 0).unwrap_or(0) as u32
    }

    /// The width of the middle one.
    pub(super) fn median(&self) -> u32 {
        let mut seen = 0;
        let is_half = |(_, count): &(u32, u64)| {
            seen += count;
            seen * 2 >= self.total()
        };
        self.counts().find(is_half).map_or(0, |(width, _)| width)
    }
}
