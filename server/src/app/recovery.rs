//! What opening the store found, for the log.

use std::path::Path;

use tracing::{info, warn};
use tsdb::{Dropped, Recovery};

/// Says what was found on disk, and every byte of it that was not read.
pub(super) fn say(directory: &Path, recovery: &Recovery) {
    let Recovery { blocks, segments, commits, samples, rejected, .. } = recovery;
    info!(
        "store opened in {}: {samples} samples, {blocks} blocks, {commits} commits in {segments} \
         log segments",
        directory.display()
    );
    for Dropped { path, offset, bytes, reason, is_torn } in &recovery.dropped {
        let file = path.display();
        if *is_torn {
            info!("{file}: a last write of {bytes} bytes at {offset} was cut off by a crash");
        } else if path.extension().is_some_and(|end| end == "damaged") {
            warn!(
                "a damaged block was put aside as {file}, and its samples are not shown: {reason}"
            );
        } else {
            warn!(
                "{file}: {bytes} bytes from {offset} on were not read: {reason}; the file is kept"
            );
        }
    }
    if *rejected > 0 {
        warn!("{rejected} logged samples could not be stored again");
    }
}
