//! Blocks on a simulated disk: written, read, damaged, interrupted.

mod damage;
mod fault;
mod large;
mod measure;
mod plan;
mod read;
mod resolve;

use std::path::{Path, PathBuf};

use super::*;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::model::Labels;

fn dir() -> &'static Path {
    Path::new("/d/blocks")
}

fn path() -> PathBuf {
    crate::layout::block(dir(), 12)
}

/// `a=1,b=2` as labels.
fn labels(text: &str) -> Labels {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Labels::from_pairs(pairs)
}

fn origin() -> Origin {
    Origin { log_start: 7, sources: vec![3, 4], precedence: 3, level: 1 }
}

/// Target labels, columns as family and labels, and windows as time, bytes and ranges.
type Group = (&'static str, &'static [(&'static str, &'static str)], &'static [Window]);
type Window = (Span, &'static [u8], &'static [Option<Span>]);

/// A group of three columns of which one has no cells, and one that has no windows, and one of
/// another target with the same columns.
const GROUPS: [Group; 3] = [
    (
        "job=a,instance=1",
        &[
            ("up", "__name__=up,job=a,instance=1"),
            ("h", "__name__=h_bucket,job=a,instance=1,le=0.5"),
            ("h", "__name__=h_bucket,job=a,instance=1,le=+Inf"),
        ],
        &[
            ((10, 20), b"first window", &[Some((10, 20)), Some((15, 20))]),
            ((30, 40), b"second", &[Some((30, 40)), Some((30, 30))]),
        ],
    ),
    ("job=b", &[("up", "__name__=up,job=b")], &[]),
    (
        "job=a,instance=2",
        &[
            ("up", "__name__=up,job=a,instance=2"),
            ("h", "__name__=h_bucket,job=a,instance=2,le=0.5"),
            ("h", "__name__=h_bucket,job=a,instance=2,le=+Inf"),
        ],
        &[((-5, 5), b"", &[Some((-5, 5)), Some((-5, 5)), Some((0, 0))])],
    ),
];

/// Writes [`GROUPS`].
fn write(disk: &SimDisk) -> Result<Written, Error> {
    let mut writer = BlockWriter::create(disk, dir(), 12)?;
    for (target, columns, windows) in GROUPS {
        let sets: Vec<_> = columns.iter().map(|(_, text)| labels(text)).collect();
        let columns: Vec<_> = columns.iter().zip(&sets).map(|(own, set)| (own.0, set)).collect();
        writer.begin_group(&labels(target), &columns);
        for (span, bytes, ranges) in windows {
            writer.window(*span, 2, 3, bytes, ranges)?;
        }
    }
    writer.finish(origin())
}

/// A disk with [`GROUPS`] in block 12.
fn written() -> SimDisk {
    let disk = SimDisk::new(1);
    write(&disk).unwrap();
    disk
}

/// All that a block says: facts, and of each group its windows, and of each column the rest.
fn content(block: &Block) -> Result<Vec<String>, Error> {
    let mut out = vec![format!("{:?}", block.facts())];
    for group in 0..block.groups() {
        out.push(format!(
            "{} {}",
            block.view().unwrap().target(group)?,
            block.view().unwrap().columns(group)?
        ));
        for window in block.view().unwrap().windows(group)? {
            out.push(format!("{window:?} {:?}", block.view().unwrap().window_bytes(&window)?));
        }
        for column in 0..block.view().unwrap().columns(group)? {
            let labels = block.view().unwrap().labels(group, column)?;
            let (family, span) = (
                block.view().unwrap().family(group, column)?,
                block.view().unwrap().span(group, column)?,
            );
            out.push(format!("{family} {labels} {span:?}"));
        }
    }
    out.push(format!("{:?}", block.resolve((i64::MIN, i64::MAX), &[])?));
    out.push(format!("{:?}", block.label_names()?));
    Ok(out)
}
