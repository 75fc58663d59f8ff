//! Silences: alerts that match one are not told while it lasts.
//!
//! They are kept in one JSON file of the store's directory, which is written anew for each change. Its
//! form, and that of the API, is Alertmanager's.
//!
//! Invariant: what [`Silences::add`] and [`Silences::expire`] say to have done is on disk.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;
use tsdb::model::{Labels, MatchOp, Matcher, Timestamp};

use super::file::JsonFile;

/// The file in the store's directory.
const FILE: &str = "silences.json";
/// Silences that are kept.
const SILENCES_MAX: usize = 1_000;
/// Matchers that one may have.
const MATCHERS_MAX: usize = 50;
/// Bytes that each of its texts may have.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// How long one is kept after its end, in milliseconds: Alertmanager's 120 h.
const KEPT_MS: i64 = 120 * 3_600_000;

/// A silence, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Names it; chosen by us.
    #[serde(default)]
    pub id: String,
    /// An alert has to match all of them.
    pub matchers: Vec<WrittenMatcher>,
    /// From when on, in RFC 3339.
    pub starts_at: jiff::Timestamp,
    /// Until when.
    pub ends_at: jiff::Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
}

/// A matcher, as Alertmanager writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenMatcher {
    /// The label.
    pub name: String,
    /// Its value, or a regular expression for it.
    pub value: String,
    /// Which of the two.
    pub is_regex: bool,
    /// Whether the label has to match, or must not.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

/// Why a silence is not taken.
#[derive(Debug, Error)]
pub enum SilenceError {
    /// It cannot be.
    #[error("silence invalid: {0}")]
    Invalid(String),
    /// There is none of that id.
    #[error("silence not found")]
    Unknown,
    /// The file cannot be written.
    #[error("{path}: {source}", path = .0.display(), source = .1)]
    Disk(PathBuf, std::io::Error),
}

struct Held {
    written: Silence,
    matchers: Vec<Matcher>,
}

/// All silences.
pub struct Silences {
    file: JsonFile,
    held: Mutex<Vec<Held>>,
}

impl Silences {
    /// Reads those of the store in `directory`; none if there is no file. One that is damaged is said
    /// by the error, and the file is left as it is.
    pub fn open(directory: &Path) -> Result<Self, SilenceError> {
        let file = JsonFile::new(directory, FILE);
        let list: Option<Vec<Silence>> = file.read().map_err(|error| failed(&file, error))?;
        let held = list.unwrap_or_default().into_iter().map(Held::new);
        let held: Vec<Held> = held.collect::<Result<_, _>>()?;
        Ok(Self { file, held: Mutex::new(held) })
    }

    /// The same; a file that cannot be read is put aside, and said.
    pub fn open_or_put_aside(directory: &Path) -> Result<Self, SilenceError> {
        let Err(error) = Self::open(directory) else { return Self::open(directory) };
        let file = JsonFile::new(directory, FILE);
        let aside = file.put_aside().map_err(|error| failed(&file, error))?;
        warn!("{error}; the file was put aside as {}, there are no silences", aside.display());
        Self::open(directory)
    }

    /// Makes a silence, or replaces the one whose id it has; its id.
    pub fn add(&self, mut silence: Silence, now: Timestamp) -> Result<String, SilenceError> {
        let invalid = |what: &str| Err(SilenceError::Invalid(what.to_owned()));
        if silence.ends_at <= silence.starts_at {
            return invalid("end time must be after start time");
        }
        if milliseconds(silence.ends_at) <= now {
            return invalid("end time can't be in the past");
        }
        if silence.matchers.iter().any(|matcher| matcher.name.is_empty()) {
            return invalid("invalid label matcher: a label has a name");
        }
        let mut held = self.lock();
        if silence.id.is_empty() {
            silence.id = new_id();
        } else if !held.iter().any(|own| own.written.id == silence.id) {
            return Err(SilenceError::Unknown);
        }
        let new = Held::new(silence)?;
        let id = new.written.id.clone();
        let mut next: Vec<Silence> = held.iter().map(|own| own.written.clone()).collect();
        next.retain(|own| own.id != id && now.ms_since(milliseconds(own.ends_at)) < KEPT_MS);
        next.push(new.written);
        if next.len() > SILENCES_MAX {
            return invalid("there are too many");
        }
        self.replace(&mut held, next)?;
        Ok(id)
    }

    /// Ends a silence now.
    pub fn expire(&self, id: &str, now: Timestamp) -> Result<(), SilenceError> {
        let mut held = self.lock();
        let mut next: Vec<Silence> = held.iter().map(|own| own.written.clone()).collect();
        let one = next.iter_mut().find(|own| own.id == id).ok_or(SilenceError::Unknown)?;
        let at = jiff::Timestamp::from_millisecond(now.ms()).unwrap_or_default();
        one.starts_at = one.starts_at.min(at);
        one.ends_at = one.ends_at.min(at);
        self.replace(&mut held, next)
    }

    /// All of them, also those that have ended and are still kept; the last to end first.
    pub fn list(&self) -> Vec<Silence> {
        let mut all: Vec<Silence> = self.lock().iter().map(|own| own.written.clone()).collect();
        all.sort_by_key(|own| std::cmp::Reverse(own.ends_at));
        all
    }

    /// Whether an alert with these labels is silenced at `now`.
    pub fn has(&self, labels: &Labels, now: Timestamp) -> bool {
        let held = self.lock();
        let mut active = held.iter().filter(|own| own.written.state(now) == "active");
        active.any(|own| own.matchers.iter().all(|matcher| matcher.matches_labels(labels)))
    }

    fn replace(&self, held: &mut Vec<Held>, next: Vec<Silence>) -> Result<(), SilenceError> {
        self.file.write(&next).map_err(|error| failed(&self.file, error))?;
        *held = next.into_iter().map(Held::new).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Silence {
    /// `pending`, `active` or `expired`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        if now >= milliseconds(self.ends_at) {
            "expired"
        } else if now >= milliseconds(self.starts_at) {
            "active"
        } else {
            "pending"
        }
    }
}

impl Held {
    fn new(written: Silence) -> Result<Self, SilenceError> {
        let invalid = |what: String| SilenceError::Invalid(what);
        let texts = written.matchers.iter().flat_map(|own| [&own.name, &own.value]);
        let texts = texts.chain([&written.created_by, &written.comment, &written.id]);
        let longest = texts.map(String::len).max().unwrap_or_default();
        if longest > TEXT_BYTES_MAX || written.matchers.len() > MATCHERS_MAX {
            return Err(invalid("a text is too long, or there are too many matchers".to_owned()));
        }
        let matchers = written.matchers.iter().map(|own| {
            let op = match (own.is_equal, own.is_regex) {
                (true, false) => MatchOp::Equal,
                (true, true) => MatchOp::Regex,
                (false, false) => MatchOp::NotEqual,
                (false, true) => MatchOp::NotRegex,
            };
            Matcher::new(op, own.name.as_str(), own.value.as_str())
                .map_err(|error| invalid(format!("invalid label matcher: {error}")))
        });
        let matchers: Vec<Matcher> = matchers.collect::<Result<_, _>>()?;
        if matchers.iter().all(Matcher::matches_empty) {
            return Err(invalid("at least one matcher must not match the empty string".to_owned()));
        }
        Ok(Self { written, matchers })
    }
}

fn failed(file: &JsonFile, error: std::io::Error) -> SilenceError {
    SilenceError::Disk(file.path().to_owned(), error)
}

fn milliseconds(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_ms(time.as_millisecond())
}

/// In the form of a UUID of version 4.
fn new_id() -> String {
    let random = || RandomState::new().hash_one(std::time::Instant::now());
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(text: &str) -> Silence {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn they_last_and_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let silences = Silences::open(folder.path()).unwrap();
        let (now, labels) = (Timestamp::from_ms(5_000), Labels::from_pairs([("a", "xy")]));
        let text = r#"{"matchers":[{"name":"a","value":"x.*","isRegex":true},
            {"name":"b","value":"z","isRegex":false,"isEqual":false}],
            "startsAt":"1970-01-01T00:00:01Z","endsAt":"1970-01-01T00:01:00Z",
            "createdBy":"me","comment":"why"}"#;
        let id = silences.add(silence(text), now).unwrap();
        let again = Silences::open(folder.path()).unwrap();
        assert_eq!(again.list(), silences.list());
        let rows = [(999, false), (1_000, true), (59_999, true), (60_000, false)];
        for (at, expected) in rows {
            assert_eq!(again.has(&labels, Timestamp::from_ms(at)), expected, "{at}");
        }
        assert!(!again.has(&Labels::from_pairs([("a", "xy"), ("b", "z")]), now));
        again.expire(&id, now).unwrap();
        assert!(!again.has(&labels, now));
        assert_eq!(again.list()[0].state(now), "expired");
        assert!(matches!(again.expire("none", now), Err(SilenceError::Unknown)));
        // Long after its end one is forgotten when another comes.
        let later = Timestamp::from_ms(KEPT_MS + 6_000);
        let other = text.replace("1970-01-01T00:01", "1971-01-01T00:01");
        again.add(silence(&other), later).unwrap();
        assert_eq!(Silences::open(folder.path()).unwrap().list().len(), 1);
    }

    #[test]
    fn what_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let silences = Silences::open(folder.path()).unwrap();
        let matcher = |value: &str| format!(r#"{{"name":"a","value":"{value}","isRegex":true}}"#);
        let many = vec![matcher("x"); MATCHERS_MAX + 1].join(",");
        let rows = [
            (matcher("("), "00:00:01", "00:01:00", "invalid label matcher"),
            (matcher(".*"), "00:00:01", "00:01:00", "at least one matcher"),
            (String::new(), "00:00:01", "00:01:00", "at least one matcher"),
            (many, "00:00:01", "00:01:00", "too many matchers"),
            (matcher(&"x".repeat(TEXT_BYTES_MAX + 1)), "00:00:01", "00:01:00", "too long"),
            (matcher("x").replace("\"a\"", "\"\""), "00:00:01", "00:01:00", "has a name"),
            (matcher("x"), "00:00:01", "00:00:01", "after start"),
            (matcher("x"), "00:00:01", "00:00:02", "in the past"),
        ];
        for (matchers, start, end, expected) in rows {
            let text = format!(
                r#"{{"matchers":[{matchers}],"startsAt":"1970-01-01T{start}Z","endsAt":"1970-01-01T{end}Z","createdBy":"","comment":""}}"#
            );
            let refused = silences.add(silence(&text), Timestamp::from_ms(5_000)).unwrap_err();
            assert!(refused.to_string().contains(expected), "{refused}");
        }
        assert!(silences.list().is_empty());
        std::fs::write(folder.path().join(FILE), "[{").unwrap();
        assert!(matches!(Silences::open(folder.path()), Err(SilenceError::Disk(..))));
        assert!(Silences::open_or_put_aside(folder.path()).unwrap().list().is_empty());
        let aside = folder.path().join("silences.json.damaged");
        assert_eq!(std::fs::read(aside).unwrap(), b"[{");
    }
}
