//! What `--web.config.file` says, read again whenever a file that it is made of has changed.
//!
//! Each new connection and each request asks [`Access::now`], which looks at the files' stamps (a
//! few microseconds). A change that cannot be used, such as a new certificate before its key, is
//! said once in the log and leaves things as they are; so does one that would take TLS or every
//! password away, since a file that is half written looks like that: for that the server has to be
//! started again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use tracing::{error, info};

use super::bucket::Bucket;
use super::password::{Passwords, Users};
use super::tls;
use super::token::Tokens;
use crate::config::web::{RateLimit, WebConfig};

/// Largest file of tokens that is read, in bytes.
const TOKENS_BYTES_MAX: u64 = 1 << 20;

/// Who may ask, and how.
pub struct Access {
    path: Option<PathBuf>,
    held: Mutex<Held>,
    bucket: Mutex<Option<Bucket>>,
    pub(super) passwords: Passwords,
}

struct Held {
    now: Arc<Rules>,
    /// Of what was read last, whether or not it was good.
    stamps: Vec<Stamp>,
}

/// What holds.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) users: Arc<Users>,
    pub(super) tokens: Option<Tokens>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    rate_limit: Option<RateLimit>,
    /// Whether a client has to show a certificate that is checked.
    checks_clients: bool,
}

impl Access {
    /// Reads the file, if there is one.
    pub fn load(path: Option<&Path>) -> Result<Self, String> {
        let (now, stamps) = path.map_or_else(|| Ok(Default::default()), read)?;
        let held = Mutex::new(Held { now: Arc::new(now), stamps });
        let (path, passwords) = (path.map(Path::to_owned), Passwords::default());
        Ok(Self { path, held, bucket: Mutex::new(None), passwords })
    }

    /// What holds now.
    pub(super) fn now(&self) -> Arc<Rules> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = held.stamps.iter().all(|stamp| *stamp == Stamp::of(&stamp.path));
        if let Some(path) = self.path.as_deref().filter(|_| !is_same) {
            held.reload(path);
        }
        held.now.clone()
    }

    /// Whether TLS is spoken.
    pub fn has_tls(&self) -> bool {
        self.now().tls.is_some()
    }

    /// Whether everybody is answered.
    pub fn is_open(&self) -> bool {
        self.now().is_open()
    }

    /// Whether the rate limit lets another request pass.
    pub(super) fn passes(&self, rules: &Rules) -> bool {
        let Some(limit) = rules.rate_limit else { return true };
        let now = Instant::now();
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let same = bucket.take().filter(|bucket| bucket.is_of(limit));
        bucket.insert(same.unwrap_or_else(|| Bucket::new(limit, now))).take(now)
    }
}

impl Held {
    fn reload(&mut self, path: &Path) {
        // Stamps come first: what changes while it is read is read again.
        let before: Vec<Stamp> = self.stamps.iter().map(|s| Stamp::of(&s.path)).collect();
        let shown = path.display();
        match read(path).and_then(|(new, stamps)| Ok((self.now.replaced_by(new)?, stamps))) {
            Ok((new, stamps)) => {
                info!("{shown} or a file that it names has changed and holds from now on");
                (self.now, self.stamps) = (Arc::new(new), stamps);
            }
            Err(error) => {
                error!("{shown} has changed and cannot be used, all stays as it was: {error}");
                self.stamps = before;
            }
        }
    }
}

impl Rules {
    pub(super) fn asks_who(&self) -> bool {
        !self.users.is_empty() || self.tokens.is_some()
    }

    fn is_open(&self) -> bool {
        !self.asks_who() && !self.checks_clients
    }

    fn replaced_by(&self, new: Self) -> Result<Self, String> {
        let lost = [
            (self.tls.is_some() && new.tls.is_none(), "TLS"),
            (!self.is_open() && new.is_open(), "authentication"),
        ];
        match lost.iter().find(|(is_lost, _)| *is_lost) {
            Some((_, what)) => Err(format!("it has no {what} any more; start the server again")),
            None => Ok(new),
        }
    }
}

fn read(path: &Path) -> Result<(Rules, Vec<Stamp>), String> {
    let own = Stamp::of(path);
    let config = WebConfig::load(path).map_err(|error| error.to_string())?;
    let named = config.files().into_iter().map(|path| Stamp::of(&path));
    let stamps = std::iter::once(own).chain(named).collect();
    Ok((rules(config)?, stamps))
}

fn rules(config: WebConfig) -> Result<Rules, String> {
    let tls = config.tls.as_ref().map(|tls| tls::config(tls, config.http2)).transpose()?;
    let tokens = config.bearer_tokens_file.as_deref().map(tokens).transpose()?;
    let checks_clients = config.tls.as_ref().is_some_and(|tls| tls.client_auth.checks_everybody());
    Ok(Rules {
        tls,
        users: Arc::new(Users::new(config.users)),
        tokens,
        headers: config.headers,
        rate_limit: config.rate_limit,
        checks_clients,
    })
}

fn tokens(path: &Path) -> Result<Tokens, String> {
    let wrong = |why: String| format!("bearer_tokens_file {}: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = String::new();
    let read =
        std::io::Read::read_to_string(&mut std::io::Read::take(file, TOKENS_BYTES_MAX), &mut text);
    read.map_err(|error| wrong(error.to_string()))?;
    Tokens::read(&text).map_err(wrong)
}

/// What tells that a file has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    /// Inode, length, and when content and inode changed, in seconds and nanoseconds.
    at: Option<[i64; 6]>,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let at = std::fs::metadata(path).ok().map(|m| {
            let (inode, len) = (m.ino().cast_signed(), m.len().cast_signed());
            [inode, len, m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()]
        });
        Self { path: path.to_owned(), at }
    }
}
