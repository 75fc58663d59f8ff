//! Targets in files (`file_sd_configs`).
//!
//! Every second the files' place, time and size are looked at; one that has changed, and all of
//! them every `refresh_ms`, are read. That needs no watches, and sees swapped links (a ConfigMap's
//! `..data`), renamed files and network file systems alike.
//!
//! Invariants: a file that cannot be read, or is no list of groups, keeps the groups of its last
//! good content, and is a problem until it is good again. A file that is gone takes its groups
//! with it. Only this mechanism's own thread of the blocking pool touches the disk.
//!
//! Source of the rules: Prometheus 3.14, `discovery/file`.

mod paths;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::read::{self, Form, TEXT_BYTES_MAX};
use super::{Problems, TargetGroup, Updates, pause, refresh};

/// How often it is looked whether a file has changed.
const LOOK: Duration = Duration::from_secs(1);
/// Files that one mechanism reads.
const FILES_MAX: usize = 10_000;
/// The label that says which file a target is from.
const PATH_LABEL: &str = "__meta_filepath";

/// Which files, and how often they are read at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Files (`.json`, `.yml`, `.yaml`); the last part may hold `*`.
    pub paths: Vec<PathBuf>,
    /// Milliseconds from one reading to the next if no change was noticed.
    pub refresh_ms: i64,
}

impl FileOptions {
    /// Sends groups as the files change, until it is dropped or nobody takes them.
    pub async fn run(self, updates: Updates, problems: Problems) {
        let every = refresh(self.refresh_ms);
        let mut files = Files { options: self, problems, known: BTreeMap::new() };
        let mut due = Instant::now();
        let mut is_first = true;
        loop {
            let all = Instant::now() >= due;
            if all {
                due = Instant::now() + every;
            }
            let looking = spawn_blocking(move || {
                let groups = files.look(all);
                (files, groups)
            });
            let groups;
            (files, groups) = match looking.await {
                Ok(looked) => looked,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            if (is_first || !groups.is_empty()) && updates.send(groups).await.is_err() {
                return;
            }
            is_first = false;
            if !pause(&updates, LOOK).await {
                return;
            }
        }
    }
}

/// The groups that stand in a file, for those who want to check it.
pub fn groups(path: &Path) -> Result<Vec<TargetGroup>, String> {
    read::groups(&content(path)?, form(path), &path.display().to_string(), PATH_LABEL)
}

/// What was read of the files so far.
struct Files {
    options: FileOptions,
    problems: Problems,
    known: BTreeMap<PathBuf, Known>,
}

/// A file as it was when it was last read.
#[derive(Default)]
struct Known {
    stamp: Option<Stamp>,
    /// Hash of the bytes, if they could be read.
    content: Option<u64>,
    /// How many groups it has; each may be with the manager.
    groups: usize,
}

/// Changes when the file is replaced or written to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let modified = (found.mtime(), found.mtime_nsec());
        Some(Self { device: found.dev(), inode: found.ino(), bytes: found.len(), modified })
    }
}

impl Files {
    /// The groups that are new, changed or (empty) gone; reads what has changed, or `all`.
    fn look(&mut self, all: bool) -> Vec<TargetGroup> {
        let paths = self.paths();
        let mut groups = Vec::new();
        let gone: Vec<_> =
            self.known.keys().filter(|path| !paths.contains(path)).cloned().collect();
        for path in gone {
            let known = self.known.remove(&path).unwrap_or_default();
            self.problems.clear(&tried(&path));
            groups.extend((0..known.groups).map(|index| empty(&path, index)));
        }
        for path in paths {
            groups.extend(self.read_changed(&path, all));
        }
        groups
    }

    /// The files that there are. What matches nothing is a problem, too.
    fn paths(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for pattern in &self.options.paths {
            let mut paths = paths::expand(pattern);
            let tried = format!("find {}", pattern.display());
            let room = FILES_MAX - found.len();
            if paths.is_empty() {
                self.problems.set(&tried, "there is no such file");
            } else if paths.len() > room {
                let why = format!("more than {FILES_MAX} files; the others are not read");
                self.problems.set(&tried, &why);
                paths.truncate(room);
            } else {
                self.problems.clear(&tried);
            }
            found.extend(paths);
        }
        found
    }

    fn read_changed(&mut self, path: &Path, all: bool) -> Vec<TargetGroup> {
        let known = self.known.entry(path.to_owned()).or_default();
        let stamp = Stamp::of(path);
        if !all && stamp.is_some() && stamp == known.stamp {
            return Vec::new();
        }
        known.stamp = stamp;
        match content(path) {
            Err(why) => {
                known.content = None;
                self.problems.set(&tried(path), &why);
                Vec::new()
            }
            Ok(bytes) => self.parse(path, &bytes),
        }
    }

    /// The groups in `bytes`, unless they are those of the last time.
    fn parse(&mut self, path: &Path, bytes: &[u8]) -> Vec<TargetGroup> {
        let known = self.known.entry(path.to_owned()).or_default();
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        let content = Some(hasher.finish());
        if content == known.content {
            return Vec::new();
        }
        known.content = content;
        let name = path.display().to_string();
        match read::groups(bytes, form(path), &name, PATH_LABEL) {
            Err(why) => {
                self.problems.set(&tried(path), &why);
                Vec::new()
            }
            Ok(mut groups) => {
                self.problems.clear(&tried(path));
                let count = groups.len();
                groups.extend((count..known.groups).map(|index| empty(path, index)));
                known.groups = count;
                groups
            }
        }
    }
}

fn tried(path: &Path) -> String {
    format!("read {}", path.display())
}

fn empty(path: &Path, index: usize) -> TargetGroup {
    TargetGroup { source: format!("{}:{index}", path.display()), ..TargetGroup::default() }
}

fn form(path: &Path) -> Form {
    let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    if is_json { Form::Json } else { Form::Yaml }
}

/// The bytes of a file, if it is one and not too large.
fn content(path: &Path) -> Result<Vec<u8>, String> {
    let text = |error: std::io::Error| error.to_string();
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(text)?.is_file() {
        return Err("this is no file".into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(text)?;
    file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(text)?;
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return Err(format!("larger than {TEXT_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}
