//! What was written is read, field by field.

use super::*;

#[test]
fn a_block_says_what_was_written() {
    let disk = SimDisk::new(1);
    let done = write(&disk).unwrap();
    assert_eq!(done.path, path());
    let block = Block::open(&disk, &done.path).unwrap();
    let facts = Facts { number: 12, samples: 9, series: 5, span: (-5, 40), origin: origin() };
    assert_eq!((block.facts(), &done.facts), (&facts, &facts));
    assert_eq!((block.bytes_len(), block.path()), (done.bytes, path().as_path()));
    assert_eq!(disk.files()[&path()].len() as u64, done.bytes);
    assert_eq!(block.groups() as usize, GROUPS.len());
    for (number, (target, columns, windows)) in (0..).zip(GROUPS) {
        assert_eq!(block.view().unwrap().target(number).unwrap(), labels(target));
        assert_eq!(block.view().unwrap().columns(number).unwrap() as usize, columns.len());
        let entries = block.view().unwrap().windows(number).unwrap();
        assert_eq!(entries.len(), windows.len());
        for (entry, (span, bytes, _)) in entries.iter().zip(windows) {
            assert_eq!((entry.span, entry.rows, entry.samples), (*span, 2, 3));
            // The second time without a look at the checksum.
            assert_eq!(block.view().unwrap().window_bytes(entry).unwrap(), *bytes);
            assert_eq!(block.view().unwrap().window_bytes(entry).unwrap(), *bytes);
        }
        for (column, (family, text)) in (0..).zip(columns) {
            let set = labels(text);
            assert_eq!(block.view().unwrap().family(number, column).unwrap(), *family);
            assert_eq!(block.view().unwrap().labels(number, column).unwrap(), set);
            assert!(block.view().unwrap().has_labels(number, column, &set).unwrap());
            for other in ["", "__name__=up", "__name__=up,job=a,instance=1,z=1"] {
                assert!(
                    !block.view().unwrap().has_labels(number, column, &labels(other)).unwrap(),
                    "{other}"
                );
            }
            assert_eq!(block.view().unwrap().pairs_hash(number, column).unwrap(), set.pairs_hash());
        }
    }
    block.verify().unwrap();
}

#[test]
fn spans_are_those_of_the_cells() {
    let disk = written();
    let block = Block::open(&disk, &path()).unwrap();
    let rows = [
        ((0, 0), (10, 40)),
        ((0, 1), (15, 30)),
        ((0, 2), NO_TIME),
        ((1, 0), NO_TIME),
        ((2, 0), (-5, 5)),
        ((2, 2), (0, 0)),
    ];
    for ((group, column), span) in rows {
        assert_eq!(block.view().unwrap().span(group, column).unwrap(), span, "{group} {column}");
    }
}

#[test]
fn series_are_found_by_their_labels() {
    let disk = written();
    let block = Block::open(&disk, &path()).unwrap();
    let rows = [
        ("__name__=up,job=a,instance=2", Some((2, 0))),
        ("__name__=h_bucket,job=a,instance=1,le=0.5", Some((0, 1))),
        ("__name__=h_bucket,job=a,instance=1,le=+Inf", None),
        ("__name__=up,job=b", None),
        ("__name__=up,job=a", None),
        ("__name__=nothing", None),
    ];
    for (text, place) in rows {
        assert_eq!(block.find(&labels(text)).unwrap(), Vec::from_iter(place), "{text}");
    }
}

#[test]
fn names_and_values() {
    let disk = written();
    let block = Block::open(&disk, &path()).unwrap();
    assert_eq!(block.label_names().unwrap(), ["__name__", "instance", "job", "le"]);
    let rows: [(&str, &[&str]); 4] = [
        ("__name__", &["h_bucket", "up"]),
        ("le", &["+Inf", "0.5"]),
        ("job", &["a", "b"]),
        ("nothing", &[]),
    ];
    for (name, values) in rows {
        assert_eq!(block.label_values(name).unwrap(), values, "{name}");
    }
}

#[test]
fn numbers_that_the_block_does_not_have_are_errors() {
    let disk = written();
    let block = Block::open(&disk, &path()).unwrap();
    for (group, column) in [(3, 0), (u32::MAX, 0), (0, 3), (0, u32::MAX)] {
        assert!(block.view().unwrap().labels(group, column).is_err());
        assert!(block.view().unwrap().family(group, column).is_err());
        assert!(block.view().unwrap().pairs_hash(group, column).is_err());
        assert!(block.view().unwrap().has_labels(group, column, &Labels::empty()).is_err());
    }
    assert!(
        block.view().unwrap().windows(3).is_err()
            && block.view().unwrap().target(3).is_err()
            && block.view().unwrap().columns(3).is_err()
    );
    let strange = WindowEntry {
        number: u32::MAX,
        span: (0, 0),
        samples: 0,
        offset: u64::MAX,
        rows: 0,
        length: 1,
        crc: 0,
    };
    assert!(block.view().unwrap().window_bytes(&strange).is_err());
    assert!(
        block.view().unwrap().window_bytes(&WindowEntry { offset: 1 << 40, ..strange }).is_err()
    );
}

#[test]
fn an_empty_block_and_an_empty_group() {
    let disk = SimDisk::new(1);
    let writer = BlockWriter::create(&disk, dir(), 1).unwrap();
    let empty = writer.finish(origin()).unwrap();
    let block = Block::open(&disk, &empty.path).unwrap();
    assert_eq!((block.groups(), block.facts().span), (0, NO_TIME));
    assert!(block.resolve((i64::MIN, i64::MAX), &[]).unwrap().is_empty());
    let mut writer = BlockWriter::create(&disk, dir(), 2).unwrap();
    writer.begin_group(&labels("t=1"), &[]);
    let one = writer.finish(origin()).unwrap();
    let block = Block::open(&disk, &one.path).unwrap();
    assert_eq!((block.groups(), block.view().unwrap().columns(0).unwrap()), (1, 0));
    assert_eq!(block.view().unwrap().target(0).unwrap(), labels("t=1"));
    block.verify().unwrap();
}

#[test]
fn a_failing_read_is_an_error_and_passes() {
    let disk = written();
    let block = Block::open(&disk, &path()).unwrap();
    let window = block.view().and_then(|view| view.windows(0)).unwrap()[0];
    block.view().and_then(|view| view.window_bytes(&window)).unwrap();
    disk.fail_reads(&path(), true);
    assert!(matches!(
        block.view().and_then(|view| view.window_bytes(&window)),
        Err(Error::Io { action: "read", .. })
    ));
    assert!(matches!(block.resolve((0, 9), &[]), Err(Error::Io { .. })));
    assert!(matches!(block.find(&labels("a=1")), Err(Error::Io { .. })));
    assert!(matches!(block.verify(), Err(Error::Io { .. })));
    assert!(matches!(Block::open(&disk, &path()), Err(Error::Io { .. })));
    disk.fail_reads(&path(), false);
    assert_eq!(block.view().and_then(|view| view.window_bytes(&window)).unwrap(), b"first window");
}
