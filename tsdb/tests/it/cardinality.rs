//! What is counted in memory, before and after samples go to a block.

use tsdb::disk::sim::SimDisk;
use tsdb::model::Timestamp;
use tsdb::{Cell, Db, Options, Storage};

use crate::store::{columns, labels, open_with, options};

/// Seven rows of two series, of which `ended` has no value in the last four; one loose sample.
fn write(db: &Db) {
    let mut appender = db.appender();
    let own = ["__name__=active", "__name__=ended,why=gone"];
    let (group, columns) = columns(appender.as_mut(), "job=a", &own);
    for row in 0..7 {
        let cells = [Cell::float(1.0), if row < 3 { Cell::float(2.0) } else { Cell::ABSENT }];
        appender.row(group, Timestamp::from_ms(1_000 * row), &columns, &cells).unwrap();
    }
    let loose = labels("__name__=loose,job=b");
    appender.sample(&loose, Timestamp::from_ms(500), Cell::float(3.0)).unwrap();
    appender.commit().unwrap();
}

fn counted(db: &Db, limit: usize) -> String {
    let own = db.cardinality(limit);
    let lists = [
        own.series_count_by_metric_name,
        own.label_value_count_by_label_name,
        own.memory_in_bytes_by_label_name,
        own.series_count_by_label_value_pair,
    ];
    let list = |list: &Vec<(String, u64)>| {
        let each = list.iter().map(|(name, count)| format!("{name}:{count}"));
        each.collect::<Vec<_>>().join(" ")
    };
    let lists: Vec<_> = lists.iter().map(list).collect();
    let ends = [own.min_time, own.max_time].map(|time| time.map(Timestamp::ms));
    let (series, pairs, chunks) = (own.series, own.label_pairs, own.chunk_count);
    format!("{series} {pairs} {chunks} {ends:?} {}", lists.join(" | "))
}

#[test]
fn series_in_memory_are_counted() {
    let few = Options { flush_samples: 5, flush_rows: 1, ..options() };
    let (db, _) = open_with(&SimDisk::new(1), few);
    assert_eq!(counted(&db, 9), "0 0 0 [None, None]  |  |  | ");
    write(&db);
    // Windows have three rows: three of one series, one of the other, that of the loose sample.
    assert_eq!(
        counted(&db, 9),
        "3 6 5 [Some(0), Some(6000)] active:1 ended:1 loose:1 | __name__:3 job:2 why:1 | \
         __name__:46 job:18 why:9 | job=a:2 __name__=active:1 __name__=ended:1 __name__=loose:1 \
         job=b:1 why=gone:1"
    );
    assert_eq!(
        counted(&db, 1),
        "3 6 5 [Some(0), Some(6000)] active:1 | __name__:3 | __name__:46 | job=a:2"
    );
    // Of the group the rows of the open window stay; what ended before them is gone. The oldest
    // time is the first one that no block has.
    assert!(db.flush_if_due().unwrap());
    assert_eq!(
        counted(&db, 9),
        "1 2 1 [Some(5001), Some(6000)] active:1 | __name__:1 job:1 | __name__:16 job:6 | \
         __name__=active:1 job=a:1"
    );
    assert!(db.flush_all().unwrap());
    assert_eq!(counted(&db, 9), "0 0 0 [None, None]  |  |  | ");
}
