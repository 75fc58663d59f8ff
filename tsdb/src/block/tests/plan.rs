//! Which blocks are merged.

use super::*;

/// Blocks as first and last time, bytes, level and precedence.
type Row = (Span, u64, u8, u64);
/// What the case is, its blocks, and those that are merged.
type Case = (&'static str, Vec<Row>, Option<Vec<usize>>);

#[test]
fn runs_of_one_level_within_the_limits() {
    let limits = Limits { fan_in: 4, span_max: 100, bytes_max: 1000 };
    let block = |at: i64, level| -> Row { ((at, at + 9), 100, level, at as u64) };
    let level0 = |count: i64| -> Vec<Row> { (0..count).map(|n| block(n * 10, 0)).collect() };
    let with = |mut rows: Vec<Row>, more: &[Row]| {
        rows.extend_from_slice(more);
        rows
    };
    let rows: Vec<Case> = vec![
        ("none", vec![], None),
        ("too few", level0(3), None),
        ("four", level0(4), Some(vec![0, 1, 2, 3])),
        ("the oldest of five", level0(5), Some(vec![0, 1, 2, 3])),
        ("any order", level0(4).into_iter().rev().collect(), Some(vec![3, 2, 1, 0])),
        (
            "the lowest level, though older ones are of a higher",
            with(
                (0..4).map(|n| block(n * 10, 1)).collect(),
                &[block(50, 0), block(60, 0), block(70, 0), block(80, 0)],
            ),
            Some(vec![4, 5, 6, 7]),
        ),
        (
            "another level between",
            vec![block(0, 0), block(10, 0), block(20, 1), block(30, 0), block(40, 0)],
            None,
        ),
        ("too long a time", vec![block(0, 0), block(10, 0), block(20, 0), block(92, 0)], None),
        (
            "just as long",
            vec![block(0, 0), block(10, 0), block(20, 0), block(91, 0)],
            Some(vec![0, 1, 2, 3]),
        ),
        (
            "the next four fit",
            with(
                vec![((0, 9), 900, 0, 0)],
                &[block(10, 0), block(20, 0), block(30, 0), block(40, 0)],
            ),
            Some(vec![1, 2, 3, 4]),
        ),
        (
            "too many bytes",
            vec![((0, 9), 701, 0, 0), block(10, 0), block(20, 0), block(30, 0)],
            None,
        ),
        (
            "bytes beyond counting",
            vec![((0, 9), u64::MAX, 0, 0), block(10, 0), block(20, 0), block(30, 0)],
            None,
        ),
        (
            "all of time",
            vec![((i64::MIN, i64::MAX), 1, 0, 0), block(10, 0), block(20, 0), block(30, 0)],
            None,
        ),
        (
            "one that overlaps stands between in precedence",
            with(level0(4), &[((5, 500), 100, 2, 15)]),
            None,
        ),
        (
            "one that overlaps is younger than all",
            with(level0(4), &[((35, 500), 100, 2, 99)]),
            Some(vec![0, 1, 2, 3]),
        ),
        (
            "one between in precedence does not overlap",
            with(level0(4), &[((500, 600), 100, 2, 15)]),
            Some(vec![0, 1, 2, 3]),
        ),
    ];
    for (what, rows, expected) in rows {
        let candidate = |(span, bytes, level, precedence): &Row| Candidate {
            span: *span,
            bytes: *bytes,
            level: *level,
            precedence: *precedence,
        };
        let blocks: Vec<_> = rows.iter().map(candidate).collect();
        assert_eq!(plan(&blocks, &limits), expected, "{what}");
    }
}
