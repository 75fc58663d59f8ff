//! What writers write, and what a reader has to find.
//!
//! A writer's commit number `i` is at `i` ms and holds `i` everywhere: a row of the columns `a` and
//! `b` (from the third one on also `c`), and from the second one on a row of another group with the
//! column `d`. So commits bring new series and new groups. A reader has to find the first `n`
//! commits of each writer, whole, without a gap, and `n` is no less than what was said to be there,
//! or what it found before.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use tsdb::model::{TimeRange, Timestamp};
use tsdb::{Append, Cell, Db, Error, Selection, Storage};

use crate::store::{Content, columns, float_text, labels, read, select_all};

/// Column, number of its group, and the first commit that has it.
const COLUMNS: [(&str, usize, usize); 4] = [("a", 0, 0), ("b", 0, 0), ("c", 0, 2), ("d", 1, 1)];

/// How many commits of each writer are said to be there. Of the standard library, so that no step
/// lies between a commit's end and the word of it.
pub(crate) type Said = [AtomicUsize; 2];

/// How many commits of each writer are there.
pub(crate) type Seen = [usize; 2];

pub(crate) fn said(said: &Said) -> Seen {
    said.each_ref().map(|own| own.load(Ordering::SeqCst))
}

/// Commits number `at` of a writer.
pub(crate) fn commit(db: &Db, writer: usize, at: usize) -> Result<(), Error> {
    let mut appender = db.appender();
    for group in 0..2 {
        let names = COLUMNS.iter().filter(|own| own.1 == group && own.2 <= at);
        let names: Vec<_> = names.map(|own| format!("__name__={}", own.0)).collect();
        if !names.is_empty() {
            row(&mut *appender, &format!("t={writer},g={group}"), &names, at);
        }
    }
    appender.commit().map(drop)
}

fn row(appender: &mut dyn Append, target: &str, names: &[String], at: usize) {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let (group, columns) = columns(appender, target, &names);
    let cells = vec![Cell::float(at as f64); columns.len()];
    appender.row(group, Timestamp::from_ms(at as i64), &columns, &cells).unwrap();
}

/// Commits the next `commits` of a writer, and says so after each.
pub(crate) fn write(db: &Db, writer: usize, commits: usize, said: &Said) {
    let from = said[writer].load(Ordering::SeqCst);
    for at in from..from + commits {
        commit(db, writer, at).unwrap();
        said[writer].store(at + 1, Ordering::SeqCst);
    }
}

/// Resolves and reads everything; `seen` was there before.
pub(crate) fn look(db: &Db, said_now: &Said, seen: &mut Seen) -> (Selection, Content) {
    let before = said(said_now);
    let selection = select_all(db);
    let sets: BTreeSet<_> = selection.series.iter().map(|own| own.labels.to_string()).collect();
    assert_eq!(sets.len(), selection.series.len(), "a label set is there twice");
    let content = read(db, &selection, TimeRange::ALL);
    for (writer, seen) in seen.iter_mut().enumerate() {
        let commits = whole_commits(&content, writer);
        assert!(
            commits.iter().copied().eq(0..commits.len()),
            "writer {writer}: a gap: {commits:?}"
        );
        let (now, before) = (commits.len(), before[writer].max(*seen));
        assert!(now >= before, "writer {writer}: {now} commits after {before}");
        *seen = now;
    }
    (selection, content)
}

/// The numbers of a writer's commits that are there; each of them is there whole.
pub(crate) fn whole_commits(content: &Content, writer: usize) -> Vec<usize> {
    let points_of = |(name, group, _): &(&str, usize, usize)| {
        let labels = labels(&format!("__name__={name},t={writer},g={group}"));
        content.get(&labels.to_string()).map_or(&[][..], Vec::as_slice)
    };
    let commits: Vec<_> = points_of(&COLUMNS[0]).iter().map(|point| point.0 as usize).collect();
    for column in &COLUMNS {
        let own = commits.iter().filter(|at| column.2 <= **at);
        let expected: Vec<_> = own.map(|at| (*at as i64, float_text(*at as f64), None)).collect();
        assert_eq!(points_of(column), expected, "writer {writer}, commits {commits:?}: {column:?}");
    }
    commits
}

/// Looks so many times, then reads each of these selections once more.
pub(crate) fn look_and_remember(db: &Db, said: &Said, looks: usize) -> Vec<(Selection, Content)> {
    let mut seen = Seen::default();
    let looks: Vec<_> = (0..looks).map(|_| look(db, said, &mut seen)).collect();
    still_the_same(db, &looks);
    looks
}

/// Reads selections that were made earlier: they are what they were.
pub(crate) fn still_the_same(db: &Db, looks: &[(Selection, Content)]) {
    for (selection, content) in looks {
        assert_eq!(read(db, selection, TimeRange::ALL), *content, "an old selection changed");
    }
}
