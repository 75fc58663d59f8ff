//! `inferometer tsdb snapshot`: a copy of a store that no server has open.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use tsdb::Options;

/// Makes `target`, which is empty or not there, a store that holds what the one in `dir` holds.
pub(super) fn run(dir: &Path, target: &Path) -> anyhow::Result<ExitCode> {
    // A directory that is no store is not to become one.
    super::open_read_only(dir)?;
    let is_empty = target.read_dir().map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_empty, "{}: not empty; name a directory that is not there yet", target.display());
    let (db, recovery) = super::open_alone(dir, Options::default())?;
    let is_good = super::is_whole(&recovery);
    let blocks = db.snapshot(target, false).context(
        "no snapshot was made; its directory has to be on the same file system as the store",
    )?;
    db.close()?;
    super::say(format_args!("{blocks} blocks in {}", target.display()));
    Ok(super::exit_code(is_good))
}
