//! The configuration file: a `prometheus.yml` in, resolved settings out.
//!
//! Steps: the text is read into a mirror of the file (`raw`, through `yaml`, the only place that
//! knows the YAML library); then every name and value is checked and every default filled in
//! (`resolve`), once. What comes out belongs to its owners ([`Job`] is the scraper's) and knows
//! nothing of YAML.
//!
//! Invariants: nothing in a file is ignored. A name is either read, or refused as a setting of
//! Prometheus that is not supported (`names`), or refused with the nearest known name. Every
//! error says where it stands and what to do ([`ConfigError`]).

mod error;
mod names;
mod nearest;
mod raw;
mod resolve;
mod secret;
mod yaml;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use scraper::job::Job;

pub use self::error::{ConfigError, Place, Problem};
pub(crate) use self::resolve::parse_bytes;

/// Largest file that is read, in bytes: 16 MiB, room for a hundred thousand written-down targets.
pub const CONFIG_BYTES_MAX: u64 = 16 << 20;

/// A configuration, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What holds for everything.
    pub global: Global,
    /// What to scrape, in the file's order; names are unique.
    pub jobs: Vec<Job>,
    /// How samples are kept.
    pub storage: Storage,
    /// The file's text, each secret in it replaced by `<secret>`; for people to look at.
    pub text: String,
}

/// The section `global`. Defaults are Prometheus's (3.14, `config.DefaultGlobalConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Milliseconds between scrapes of jobs that set no interval of their own; 1 minute.
    pub scrape_interval_ms: i64,
    /// Milliseconds until a scrape fails, for jobs that set none; 10 seconds, at most the interval.
    pub scrape_timeout_ms: i64,
    /// Milliseconds between evaluations of rules; 1 minute.
    pub evaluation_interval_ms: i64,
    /// Labels that are added when something leaves this server; `$NAME` and `${NAME}` stand for
    /// environment variables and are replaced already.
    pub external_labels: BTreeMap<String, String>,
}

/// The section `storage`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// How much older than the newest sample a late one may be, in milliseconds; 0: none may be
    /// late.
    pub out_of_order_ms: i64,
    /// How long samples are kept, in milliseconds; `None`: as the flag says.
    pub retention_ms: Option<i64>,
    /// How many bytes they may take; `None`: as the flag says.
    pub retention_bytes: Option<u64>,
}

/// Reads and resolves the file at `path`; relative files in it are relative to its folder.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    parse(&text, &name, path.parent().unwrap_or(Path::new("")))
}

/// Resolves the text of a file. Errors call it `name`; relative files in it are in `base_dir`.
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Config, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refused = |problems| ConfigError::refused(name, text, problems);
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(too_large(name));
    }
    let file: raw::File = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    let (global, storage, jobs) = resolve::file(&file, base_dir).map_err(refused)?;
    Ok(Config { global, jobs, storage, text: secret::mask(text, &file) })
}

fn read(path: &Path, name: &str) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { name: name.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(too_large(name));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotUtf8 { name: name.to_owned(), line }
    })
}

fn too_large(name: &str) -> ConfigError {
    ConfigError::TooLarge { name: name.to_owned(), bytes_max: CONFIG_BYTES_MAX }
}
