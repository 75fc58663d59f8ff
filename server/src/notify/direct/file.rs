//! A JSON file of the store's directory, written anew for each change: under another name, synced,
//! then renamed. So it is always whole, whenever the process ends.

use std::io::{Error, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that such a file may have.
const BYTES_MAX: u64 = 256 << 20;

/// Where one is.
#[derive(Clone, Debug)]
pub(super) struct JsonFile(PathBuf);

impl JsonFile {
    /// The one of that name.
    pub(super) fn new(directory: &Path, name: &str) -> Self {
        Self(directory.join(name))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What it says; `None` if it is not there.
    pub(super) fn read<T: DeserializeOwned>(&self) -> std::io::Result<Option<T>> {
        let file = match std::fs::File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut text = Vec::new();
        file.take(BYTES_MAX + 1).read_to_end(&mut text)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(too_large());
        }
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Replaces it. After an error it is what it was.
    pub(super) fn write<T: Serialize>(&self, content: &T) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(content)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(too_large());
        }
        let unfinished = self.0.with_extension("json.new");
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &self.0)?;
        let directory = self.0.parent().unwrap_or(Path::new("."));
        std::fs::File::open(directory)?.sync_all()
    }

    /// Gives a damaged one another name, which is returned.
    pub(super) fn put_aside(&self) -> std::io::Result<PathBuf> {
        let aside = self.0.with_extension("json.damaged");
        std::fs::rename(&self.0, &aside)?;
        Ok(aside)
    }
}

fn too_large() -> Error {
    Error::other(format!("the file has more than {BYTES_MAX} bytes"))
}
