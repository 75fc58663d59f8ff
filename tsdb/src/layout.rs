//! Every file and directory name of a store.
//!
//! ```text
//! lock                    held by the process that has the store open
//! wal/0000000001.wal      log segments, numbered as they were begun
//! wal/0000000001.wal.new  a segment being rewritten after a failed fsync; of no use after a crash
//! blocks/0000000012.block      blocks, numbered as they were begun
//! blocks/0000000012.block.new  a block being written; of no use after a crash
//! blocks/0000000012.block.damaged  a block that could not be opened
//! blocks/0000000012.deleted    what is deleted in that block
//! ```

use std::path::{Path, PathBuf};

/// End of a log segment's name.
const SEGMENT_SUFFIX: &str = ".wal";
/// End of a block's name.
const BLOCK_SUFFIX: &str = ".block";
/// What a damaged block's name gets.
const DAMAGED_SUFFIX: &str = ".damaged";
/// End of the name of the list of what is deleted in a block.
const DELETED_SUFFIX: &str = ".deleted";
/// End of the name of a file that is not finished.
const UNFINISHED_SUFFIX: &str = ".new";

/// The lock file.
pub(crate) fn lock(dir: &Path) -> PathBuf {
    dir.join("lock")
}

/// The directory of the log.
pub(crate) fn wal(dir: &Path) -> PathBuf {
    dir.join("wal")
}

/// Log segment `number`.
pub(crate) fn segment(wal: &Path, number: u64) -> PathBuf {
    wal.join(format!("{number:010}{SEGMENT_SUFFIX}"))
}

/// The directory of the blocks.
pub(crate) fn blocks(dir: &Path) -> PathBuf {
    dir.join("blocks")
}

/// Block `number`.
pub(crate) fn block(blocks: &Path, number: u64) -> PathBuf {
    blocks.join(format!("{number:010}{BLOCK_SUFFIX}"))
}

/// The name that a damaged block gets.
pub(crate) fn damaged(block: &Path) -> PathBuf {
    let mut name = block.as_os_str().to_owned();
    name.push(DAMAGED_SUFFIX);
    name.into()
}

/// The number of the damaged block with that name; `None` if it is none.
pub(crate) fn damaged_number(name: &str) -> Option<u64> {
    block_number(name.strip_suffix(DAMAGED_SUFFIX)?)
}

/// What is deleted in block `number`.
pub(crate) fn deleted(blocks: &Path, number: u64) -> PathBuf {
    blocks.join(format!("{number:010}{DELETED_SUFFIX}"))
}

/// Where `file` is written before it takes its name.
pub(crate) fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(UNFINISHED_SUFFIX);
    name.into()
}

/// Whether a file of that name was never finished.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.ends_with(UNFINISHED_SUFFIX)
}

/// The number of the segment with that name; `None` if it is no segment.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(SEGMENT_SUFFIX)?.parse().ok()
}

/// The number of the block with that name; `None` if it is no block.
pub(crate) fn block_number(name: &str) -> Option<u64> {
    name.strip_suffix(BLOCK_SUFFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_names() {
        let path = segment(Path::new("w"), 42);
        assert_eq!(path, Path::new("w/0000000042.wal"));
        let rows = [
            ("0000000042.wal", Some(42), false),
            ("0000000042.wal.new", None, true),
            ("x.wal", None, false),
            ("lock", None, false),
        ];
        for (name, number, is_new) in rows {
            assert_eq!((segment_number(name), is_unfinished(name)), (number, is_new), "{name}");
        }
    }

    #[test]
    fn block_names() {
        assert_eq!(block(&blocks(Path::new("d")), 12), Path::new("d/blocks/0000000012.block"));
        let rows =
            [("0000000012.block", Some(12)), ("0000000012.block.new", None), ("1.wal", None)];
        for (name, number) in rows {
            assert_eq!(block_number(name), number, "{name}");
        }
    }
}
