//! 200 000 series, and a selection of 5 000 of them: 200 targets of 1000 metrics.

use tsdb::model::{Labels, MatchOp, Matcher, Metadata, TimeRange, Timestamp};
use tsdb::select::{Select, Values};
use tsdb::{Cell, Db, FamilyColumns, Selection, Storage};

/// Targets.
const TARGETS: usize = 200;
/// Series of each.
const METRICS: usize = 1_000;
/// Samples of each series.
const ROWS: i64 = 20;
/// Series that are selected.
pub const SELECTED: usize = 25 * TARGETS;

/// Fills a store.
pub fn fill(db: &Db) {
    for target in 0..TARGETS {
        let instance = format!("10.0.0.{target}:8000");
        let labels = Labels::from_pairs([("instance", instance.as_str()), ("job", "many")]);
        let mut appender = db.appender();
        let group = appender.group(&labels).expect("BUG: no limit is near");
        let columns = appender.columns(group, &families()).expect("BUG: no limit is near");
        for row in 0..ROWS {
            let at = Timestamp::from_ms(1_700_000_000_000 + row * 5_000);
            let cell = |metric| Cell::float((metric as i64 % 7 * row + target as i64) as f64);
            let cells: Vec<_> = (0..METRICS).map(cell).collect();
            appender.row(group, at, &columns, &cells).expect("BUG: no limit is near");
        }
        appender.commit().expect("BUG: a good disk");
    }
}

fn families() -> Vec<FamilyColumns> {
    let family = |metric| {
        let name = format!("metric_{metric:03}_total");
        let columns = vec![vec![("__name__".to_owned(), name.clone())]];
        FamilyColumns { name, metadata: Metadata::default(), columns }
    };
    (0..METRICS).map(family).collect()
}

/// Selects 25 metrics of all targets.
pub fn resolve(db: &Db) -> Selection {
    let name = Matcher::new(MatchOp::Regex, "__name__", "metric_(10.|11.|12[0-4])_total");
    let matchers = [Matcher::equal("job", "many"), name.expect("BUG: the expression is valid")];
    let selection = db.resolve(TimeRange::ALL, &matchers).expect("BUG: a good disk");
    assert_eq!(selection.series.len(), SELECTED);
    selection
}

/// Reads a selection; how many samples it has.
pub fn read(db: &Db, selection: &Selection) -> usize {
    let mut batches = db.read(selection, TimeRange::ALL).expect("BUG: a good disk");
    let mut samples = 0;
    while batches
        .next(&mut |batch| {
            for column in batch.columns {
                let (Values::Floats(floats) | Values::Mixed(floats, _)) = column.values;
                samples += floats.len();
            }
        })
        .expect("BUG: a good disk")
    {}
    assert_eq!(samples, SELECTED * ROWS as usize);
    samples
}
