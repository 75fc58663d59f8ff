//! What a kept result relies on: at the times that the store calls unchanged since a generation,
//! everything reads as it did then. Random commits in and out of order, deletions, drops, flushes
//! and merges, compared with all that was read before.

use proptest::prelude::*;
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Matcher, TimeRange, Timestamp};
use tsdb::select::Generation;
use tsdb::{Cell, Db, Options, Select, Storage};

use crate::store::{Content, columns, content, labels, open_with, options};

const OWN: [&str; 3] = ["__name__=a", "__name__=b,le=0.5", "__name__=b,le=+Inf"];

/// What happens; times in milliseconds, most of them relative to the newest row.
#[derive(Clone, Debug)]
enum Change {
    /// A row so much later, with those of the columns.
    Row {
        target: bool,
        later: i64,
        filled: [bool; 3],
    },
    /// The columns that the newest row has not.
    Fill {
        target: bool,
    },
    /// A sample so much earlier, alone, or the marker that its series ended.
    Late {
        earlier: i64,
        stale: bool,
    },
    Delete {
        from: i64,
        length: i64,
        metric: &'static str,
    },
    DropBefore {
        earlier: i64,
    },
    DropOldestBlock,
    Flush,
    Merge,
    Clean,
}

fn any_change() -> impl Strategy<Value = Change> {
    let metric = prop::sample::select(vec!["a", "b"]);
    prop_oneof![
        8 => (any::<bool>(), 1..4000_i64, any::<[bool; 3]>())
            .prop_map(|(target, later, filled)| Change::Row { target, later, filled }),
        1 => any::<bool>().prop_map(|target| Change::Fill { target }),
        3 => (0..20_000_i64, any::<bool>())
            .prop_map(|(earlier, stale)| Change::Late { earlier, stale }),
        1 => (0..20_000_i64, 0..9000_i64, metric)
            .prop_map(|(from, length, metric)| Change::Delete { from, length, metric }),
        1 => (0..20_000_i64).prop_map(|earlier| Change::DropBefore { earlier }),
        1 => Just(Change::DropOldestBlock),
        2 => Just(Change::Flush),
        1 => Just(Change::Merge),
        1 => Just(Change::Clean),
    ]
}

struct Store {
    db: Db,
    /// Time of the newest row.
    now: i64,
    value: f64,
}

impl Store {
    fn row(&mut self, target: bool, filled: [bool; 3]) {
        self.value += 1.0;
        let mut appender = self.db.appender();
        let (group, columns) = columns(&mut *appender, if target { "t=1" } else { "t=2" }, &OWN);
        let cell = |filled: &bool| if *filled { Cell::float(self.value) } else { Cell::ABSENT };
        let cells: Vec<_> = filled.iter().map(cell).collect();
        appender.row(group, Timestamp::from_ms(self.now), &columns, &cells).unwrap();
        appender.commit().unwrap();
    }

    fn late(&mut self, earlier: i64, stale: bool) {
        self.value += 1.0;
        let mut appender = self.db.appender();
        let cell = if stale { Cell::STALE } else { Cell::float(self.value) };
        let at = Timestamp::from_ms(self.now - earlier);
        // Too old, or there already: then nothing happens.
        let _ = appender.sample(&labels("__name__=a,t=1"), at, cell);
        appender.commit().unwrap();
    }

    /// Whether something that is seen changed.
    fn change(&mut self, change: &Change) -> bool {
        match *change {
            Change::Row { target, later, filled } => {
                self.now += later;
                self.row(target, filled);
            }
            Change::Fill { target } => self.row(target, [true; 3]),
            Change::Late { earlier, stale } => self.late(earlier, stale),
            Change::Delete { from, length, metric } => {
                let start = self.now - from;
                let range =
                    TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(start + length));
                self.db.delete(range, &[Matcher::equal("__name__", metric)]).unwrap();
            }
            Change::DropBefore { earlier } => {
                self.db.drop_before(Timestamp::from_ms(self.now - earlier)).unwrap();
            }
            Change::DropOldestBlock => {
                let stats = self.db.stats();
                let bytes = stats.log_bytes + stats.block_bytes;
                self.db.drop_beyond(bytes.saturating_sub(1)).unwrap();
            }
            Change::Flush => return self.db.flush_all().map(|_| false).unwrap(),
            Change::Merge => return self.db.compact_if_due().map(|_| false).unwrap(),
            Change::Clean => return self.db.clean_deleted().map(|_| false).unwrap(),
        }
        true
    }
}

fn within(content: &Content, range: TimeRange) -> Content {
    let inside = |points: &Vec<(i64, String, Option<i64>)>| -> Vec<_> {
        let inside = points.iter().filter(|own| range.contains(Timestamp::from_ms(own.0)));
        inside.cloned().collect()
    };
    let series = content.iter().map(|(labels, points)| (labels.clone(), inside(points)));
    series.filter(|(_, points)| !points.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_called_unchanged_reads_as_before(
        changes in prop::collection::vec(any_change(), 1..30),
    ) {
        let options = Options { out_of_order_ms: 15_000, ..options() };
        let db = open_with(&SimDisk::new(1), options).0;
        let mut store = Store { db, now: 100_000, value: 0.0 };
        let mut before: Vec<(Generation, Content)> = Vec::new();
        for change in &changes {
            before.push((store.db.generation(), content(&store.db)));
            let were: Vec<_> =
                before.iter().map(|(own, _)| store.db.unchanged_since(*own)).collect();
            let is_seen = store.change(change);
            let now = content(&store.db);
            for ((generation, then), was) in before.iter().zip(were) {
                let unchanged = store.db.unchanged_since(*generation);
                let range = unchanged.expect("a generation of the past");
                prop_assert_eq!(
                    within(&now, range), within(then, range), "{:?} {:?}", generation, range
                );
                // What nobody sees is no change.
                prop_assert!(is_seen || unchanged == was, "{:?}", change);
            }
        }
    }

    #[test]
    fn rows_in_order_leave_what_is_before_them(
        later in prop::collection::vec(1..4000_i64, 1..40),
    ) {
        let db = open_with(&SimDisk::new(1), options()).0;
        let mut store = Store { db, now: 0, value: 0.0 };
        for later in later {
            let generation = store.db.generation();
            store.now += later;
            store.row(true, [true; 3]);
            let unchanged = store.db.unchanged_since(generation).unwrap();
            prop_assert_eq!(unchanged.start, Timestamp::MIN);
            // Marks of a second are joined.
            prop_assert!((store.now - 1000..store.now).contains(&unchanged.end.ms()));
            prop_assert_eq!(store.db.unchanged_since(store.db.generation()), Some(TimeRange::ALL));
        }
        let next = Generation(store.db.generation().0 + 1);
        prop_assert_eq!(store.db.unchanged_since(next), None);
    }
}
