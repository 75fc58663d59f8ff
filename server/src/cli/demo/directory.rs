//! Where the demo keeps its samples: a directory that was named, or a new temporary one that is
//! removed at the end.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The directory; a temporary one is removed when this is dropped.
pub(super) struct Directory {
    path: PathBuf,
    temporary: bool,
}

impl Directory {
    /// `named`, or a new one below the system's directory for temporary files.
    pub(super) fn choose(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Ok(Self { path: path.to_owned(), temporary: false });
        }
        let path = std::env::temp_dir().join(format!("inferometer-demo-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| {
            format!("cannot make {}; name a directory with --storage.tsdb.path", path.display())
        })?;
        Ok(Self { path, temporary: true })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("{} was not removed: {error}", self.path.display());
        }
    }
}
