//! A disk that fails while a block is written: there is never a file with a block's name that is
//! not the whole block, and nothing is left behind where the disk lets it be removed.

use super::*;
use crate::disk::Disk;
use crate::disk::sim::{Ending, Fault};

fn check(disk: &SimDisk, expected: &[String], what: &str) -> bool {
    let is_there = disk.files().contains_key(&path());
    if is_there {
        let block = Block::open(disk, &path()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(content(&block).unwrap(), expected, "{what}");
        block.verify().unwrap();
    }
    is_there
}

fn expected() -> (SimDisk, Vec<String>) {
    let disk = written();
    let content = content(&Block::open(&disk, &path()).unwrap()).unwrap();
    (disk, content)
}

#[test]
fn every_operation_crashes() {
    let (whole, expected) = expected();
    let (mut present, mut absent) = (0, 0);
    for operation in 0..whole.operations() {
        for (ending, seeds) in [(Ending::Kill, 1), (Ending::PowerCut, 40)] {
            for seed in 0..seeds {
                let disk = SimDisk::new(seed);
                disk.fail_at(operation, Fault::Crash);
                assert!(write(&disk).is_err());
                disk.restart(ending);
                let what = format!("{ending:?} at {operation}, seed {seed}");
                let is_there = check(&disk, &expected, &what);
                *(if is_there { &mut present } else { &mut absent }) += 1;
                // The next attempt is not hindered by what was left.
                if !is_there {
                    write(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert!(check(&disk, &expected, &what));
                    assert_eq!(disk.files().len(), 1, "{what}");
                }
            }
        }
    }
    assert!(present > 0 && absent > 0, "{present} {absent}");
}

#[test]
fn every_operation_fails_once() {
    let (whole, _) = expected();
    for fault in [Fault::Error, Fault::ShortWrite] {
        for operation in 0..whole.operations() {
            let disk = SimDisk::new(operation);
            disk.fail_at(operation, fault);
            // The first one removes what an earlier attempt left, and there was none.
            let is_removal = operation == 0;
            assert_eq!(write(&disk).is_ok(), is_removal, "{fault:?} at {operation}");
            if !is_removal {
                assert!(disk.files().is_empty(), "{fault:?} at {operation}: no litter");
                write(&disk).unwrap();
            }
        }
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    let (_, expected) = expected();
    let disk = SimDisk::new(3);
    disk.set_full(true);
    assert!(matches!(write(&disk), Err(Error::Io { action: "write", .. })));
    assert!(disk.files().is_empty());
    disk.set_full(false);
    write(&disk).unwrap();
    assert!(check(&disk, &expected, "after"));
}

#[test]
fn a_finished_block_survives_a_power_cut() {
    for seed in 0..40 {
        let disk = SimDisk::new(seed);
        write(&disk).unwrap();
        disk.restart(Ending::PowerCut);
        assert!(check(&disk, &expected().1, &format!("seed {seed}")), "seed {seed}");
    }
}

#[test]
fn a_block_is_never_written_over() {
    let (disk, expected) = expected();
    let refused = write(&disk);
    assert!(matches!(refused, Err(Error::Io { action: "create", .. })), "{refused:?}");
    assert!(check(&disk, &expected, "again"));
    assert_eq!(disk.files().len(), 1);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let disk = SimDisk::new(1);
    let writer = BlockWriter::create(&disk, dir(), 12).unwrap();
    assert_eq!(disk.list(dir()).unwrap(), ["0000000012.block.new"]);
    drop(writer);
    assert!(disk.files().is_empty());
}
