//! What all queries together may hold in memory.
//!
//! A sample that an evaluation holds counts [`SAMPLE_BYTES`]. Each evaluation takes from the pool
//! what it holds, and gives it back as it goes on, at the latest when it ends: [`Holding`] does so
//! however that happens. Buffers in which samples are read are bounded for each thread, and not
//! counted.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::Point;

/// Bytes of a held sample: in a column, and as a point of the answer that is made of it.
pub const SAMPLE_BYTES: usize = size_of::<f64>() + size_of::<Point>();

/// Bytes that queries share.
#[derive(Debug)]
pub struct MemoryPool {
    bytes_max: usize,
    held: AtomicUsize,
}

impl MemoryPool {
    /// A pool of so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: AtomicUsize::new(0) }
    }

    /// Bytes that queries may hold.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Bytes that they hold now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// The samples that one evaluation holds; in its pool, too, if it has one.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    samples: AtomicUsize,
    pool: Option<&'a MemoryPool>,
}

impl<'a> Holding<'a> {
    pub(crate) fn new(pool: Option<&'a MemoryPool>) -> Self {
        Self { samples: AtomicUsize::new(0), pool }
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples.load(Ordering::Relaxed)
    }

    /// Holds more, however much that is: the number held then, and the pool's limit in bytes if
    /// that is passed.
    pub(crate) fn add(&self, samples: usize) -> (usize, Option<usize>) {
        let own = self.samples.fetch_add(samples, Ordering::Relaxed).saturating_add(samples);
        let passed = self.pool.and_then(|pool| {
            let bytes = samples.saturating_mul(SAMPLE_BYTES);
            let held = pool.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
            (held > pool.bytes_max).then_some(pool.bytes_max)
        });
        (own, passed)
    }

    /// Holds fewer.
    pub(crate) fn sub(&self, samples: usize) {
        self.samples.fetch_sub(samples, Ordering::Relaxed);
        if let Some(pool) = self.pool {
            pool.held.fetch_sub(samples.saturating_mul(SAMPLE_BYTES), Ordering::Relaxed);
        }
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.sub(self.samples());
    }
}
