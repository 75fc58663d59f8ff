//! Every file and directory name of a store.
//!
//! ```text
//! lock                    held by the process that has the store open
//! wal/0000000001.wal      log segments, numbered as they were begun
//! wal/0000000001.wal.new  a segment being rewritten after a failed fsync; of no use after a crash
//! ```

use std::path::{Path, PathBuf};

/// End of a log segment's name.
const SEGMENT_SUFFIX: &str = ".wal";
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
}
