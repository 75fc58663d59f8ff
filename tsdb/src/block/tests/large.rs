//! Wide groups, on the real disk.

use super::*;
use crate::disk::os::OsDisk;
use crate::model::Matcher;

#[test]
fn a_group_of_100_000_columns() {
    let dir = tempfile::tempdir().unwrap();
    let set = |column: u32| Labels::from_pairs([("__name__", "wide"), ("n", &column.to_string())]);
    let sets: Vec<_> = (0..100_000).map(set).collect();
    let columns: Vec<_> = sets.iter().map(|own| ("wide", own)).collect();
    let mut writer = BlockWriter::create(&OsDisk, dir.path(), 1).unwrap();
    writer.begin_group(&labels("job=a"), &columns);
    let range = |column: i64| (column % 3 > 0).then_some((column % 3, 9));
    let ranges: Vec<_> = (0..100_000).map(range).collect();
    writer.window((1, 9), 9, 600_000, &[7; 3 << 20], &ranges).unwrap();
    let done = writer.finish(origin()).unwrap();
    let block = Block::open(&OsDisk, &done.path).unwrap();
    assert_eq!(
        (block.view().unwrap().columns(0).unwrap(), block.facts().series),
        (100_000, 66_666)
    );
    let window = block.view().unwrap().windows(0).unwrap()[0];
    assert_eq!(block.view().unwrap().window_bytes(&window).unwrap(), [7; 3 << 20]);
    assert_eq!(block.resolve((1, 1), &[]).unwrap().len(), 33_333);
    let one = [Matcher::equal("n", "77777")];
    assert_eq!(block.resolve((9, 9), &one).unwrap(), [(0, 77_777)]);
    assert_eq!(block.find(&set(50_000)).unwrap(), [(0, 50_000)]);
    assert_eq!(block.find(&set(50_001)).unwrap(), [], "it has no cells");
    for column in [0, 99_999] {
        assert_eq!(block.view().unwrap().labels(0, column).unwrap(), sets[column as usize]);
        assert_eq!(
            block.view().unwrap().pairs_hash(0, column).unwrap(),
            sets[column as usize].pairs_hash()
        );
    }
    block.verify().unwrap();
    std::fs::OpenOptions::new().write(true).open(&done.path).unwrap().set_len(100).unwrap();
    let cut = block.view().map(|_| ()).unwrap_err().to_string();
    assert!(cut.contains("was cut while it was open"), "{cut}");
}
