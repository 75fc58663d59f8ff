//! The open connections: how many there are, what each is doing, and which has to go.
//!
//! A connection takes a [`Slot`]. Once all are taken, the next one waits until one is free, and to
//! make one free the connection is told to close that has been *still* the longest: no request of
//! it is being answered, and no byte came or went for [`STILL`] ([`STILL_SILENT`] if none ever did).
//! So idle and slow clients, however many, hold nobody up for longer than that. (Prometheus makes everybody wait until one closes by
//! itself, after `--web.read-timeout`.)

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// From when on a connection may be closed to make room.
pub(super) const STILL: Duration = Duration::from_secs(1);

/// The same for one on which nothing was ever said: clients speak as soon as they are connected.
const STILL_SILENT: Duration = Duration::from_millis(100);

/// How long is waited at least before it is looked again who is still.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// All connections of a server.
pub struct Connections {
    max: usize,
    since: Instant,
    open: Mutex<Open>,
    left: Notify,
}

#[derive(Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    counts: Counts,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were served.
    pub served: u64,
    /// Those that were closed to make room.
    pub closed_for_others: u64,
    /// The most that were open at once.
    pub open_max: usize,
}

/// One of them.
pub(super) struct Connection {
    since: Instant,
    /// Requests whose answer is being made.
    busy: AtomicUsize,
    /// When a byte came or went, in milliseconds from `since`.
    moved_ms: AtomicU64,
    has_spoken: AtomicBool,
    close: Notify,
    is_told: AtomicBool,
}

/// A connection's place; dropped when it ends.
pub(super) struct Slot {
    connections: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

/// A request that is being answered.
pub(super) struct Busy(Arc<Connection>);

impl Connections {
    /// Room for `max`, one at least.
    pub fn new(max: usize) -> Arc<Self> {
        let (open, left) = (Mutex::default(), Notify::new());
        Arc::new(Self { max: max.max(1), since: Instant::now(), open, left })
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.lock().by_number.len()
    }

    /// Takes a place, as soon as there is one.
    pub(super) async fn enter(self: &Arc<Self>) -> Slot {
        loop {
            let left = self.left.notified();
            match self.try_enter() {
                Ok(slot) => return slot,
                Err(wait) => drop(tokio::time::timeout(wait, left).await),
            }
        }
    }

    /// Takes a place, or makes sure that one becomes free, and says when to look again.
    fn try_enter(self: &Arc<Self>) -> Result<Slot, Duration> {
        let mut open = self.lock();
        if open.by_number.len() >= self.max {
            return Err(open.make_room());
        }
        let number = open.counts.served;
        let connection = Arc::new(Connection::new(self.since));
        open.by_number.insert(number, connection.clone());
        open.counts.served += 1;
        open.counts.open_max = open.counts.open_max.max(open.by_number.len());
        drop(open);
        Ok(Slot { connections: self.clone(), number, connection })
    }

    /// Waits until all are gone. What is still is closed meanwhile.
    pub(super) async fn emptied(&self) {
        while self.open() > 0 {
            let left = self.left.notified();
            self.close_still();
            drop(tokio::time::timeout(LOOK_AGAIN, left).await);
        }
    }

    fn close_still(&self) {
        self.lock().by_number.values().filter(|c| c.lacks().is_zero()).for_each(|c| c.close());
    }

    /// Closes all.
    pub(super) fn close_all(&self) {
        self.lock().by_number.values().for_each(|connection| connection.close());
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Tells the stillest connection to close if it is still enough; when to look again.
    fn make_room(&mut self) -> Duration {
        let told = |connection: &&Arc<Connection>| connection.is_told.load(Ordering::Relaxed);
        if self.by_number.values().any(|connection| told(&connection)) {
            return STILL;
        }
        let stillest = self.by_number.values().min_by_key(|connection| {
            (connection.lacks(), connection.moved_ms.load(Ordering::Relaxed))
        });
        let Some(stillest) = stillest else { return LOOK_AGAIN };
        let lacks = stillest.lacks();
        if lacks.is_zero() {
            stillest.close();
            self.counts.closed_for_others += 1;
            return STILL;
        }
        lacks.max(LOOK_AGAIN)
    }
}

impl Connection {
    fn new(since: Instant) -> Self {
        let connection = Self {
            since,
            busy: AtomicUsize::new(0),
            moved_ms: AtomicU64::new(0),
            has_spoken: false.into(),
            close: Notify::new(),
            is_told: false.into(),
        };
        connection.moved_ms.store(connection.now_ms(), Ordering::Relaxed);
        connection
    }

    /// A byte came or went.
    pub(super) fn moved(&self) {
        self.has_spoken.store(true, Ordering::Relaxed);
        self.moved_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// A request begins to be answered.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Ready when it has to close.
    pub(super) async fn told_to_close(&self) {
        self.close.notified().await;
    }

    fn close(&self) {
        self.is_told.store(true, Ordering::Relaxed);
        self.close.notify_one();
    }

    /// How much longer nothing has to happen until it may be closed.
    fn lacks(&self) -> Duration {
        if self.busy.load(Ordering::Relaxed) > 0 {
            return STILL;
        }
        let moved_ms = self.moved_ms.load(Ordering::Relaxed);
        let still = Duration::from_millis(self.now_ms().saturating_sub(moved_ms));
        let has_spoken = self.has_spoken.load(Ordering::Relaxed);
        (if has_spoken { STILL } else { STILL_SILENT }).saturating_sub(still)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // The answer begins to be written now.
        self.0.moved();
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connections.lock().by_number.remove(&self.number);
        self.connections.left.notify_waiters();
    }
}
