//! `inferometer tsdb verify`: reads every byte of a store that has a checksum.

use std::path::Path;
use std::process::ExitCode;

/// Prints a line for each file, and on stderr a sentence for each one that is damaged.
pub(super) fn run(dir: &Path) -> anyhow::Result<ExitCode> {
    let (db, recovery) = super::open_read_only(dir)?;
    let mut is_good = super::is_whole(&recovery);
    let blocks = db.blocks();
    let bar = super::progress(blocks.iter().map(|block| block.bytes).sum(), "bytes");
    for block in &blocks {
        let path = block.path.display();
        match db.verify_block(block.number) {
            Ok(()) => {
                bar.suspend(|| super::say(format_args!("{path}: ok, {} samples", block.samples)))
            }
            Err(error) => {
                is_good = false;
                bar.suspend(|| {
                    super::say(format_args!("{path}: damaged"));
                    eprintln!("inferometer: {error}");
                });
            }
        }
        bar.inc(block.bytes);
    }
    bar.finish_and_clear();
    for path in db.set_aside()? {
        is_good = false;
        super::say(format_args!("{}: damaged", path.display()));
        let path = path.display();
        eprintln!("inferometer: {path}: was set aside as damaged; nothing of it is read");
    }
    for dropped in &recovery.dropped {
        let word =
            if dropped.is_torn { "ok but for a last write that was cut off" } else { "damaged" };
        super::say(format_args!("{}: {word}", dropped.path.display()));
    }
    let (segments, commits) = (recovery.segments, recovery.commits);
    super::say(format_args!(
        "log: {segments} segments, {commits} commits, {} samples",
        db.stats().head_samples
    ));
    Ok(super::exit_code(is_good))
}
