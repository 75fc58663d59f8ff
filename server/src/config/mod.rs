//! The configuration file: a `prometheus.yml` in, resolved settings out.
//!
//! Steps: the text is read into a mirror of the file (`raw`, through `yaml`, the only place that
//! knows the YAML library); then every name and value is checked and every default filled in
//! (`resolve`), once. What comes out belongs to its owners ([`Job`] is the scraper's) and knows
//! nothing of YAML. `load` does so with the file and those that it names.
//!
//! Invariants: nothing in a file is ignored without a word. A name is either read, or refused as a
//! setting of Prometheus that is not supported (`names`), or refused with the nearest known name.
//! Every error says where it stands and what to do ([`ConfigError`]).

mod error;
pub mod glob;
pub(crate) mod go_duration;
mod load;
mod names;
pub(crate) mod nearest;
mod raw;
mod resolve;
mod secret;
mod settings;
pub mod web;
pub(crate) mod yaml;

use std::path::PathBuf;

use scraper::job::Job;

pub use self::error::{ConfigError, Place, Problem};
pub(crate) use self::load::{client as load_client, read_text};
pub use self::load::{files, load, load_alone, load_notify, parse};
pub(crate) use self::resolve::parse_bytes;
pub use self::settings::{
    Alerting, Alertmanager, Global, NotifyFile, Receiver, ReceiverKind, Storage,
};

/// Largest file that is read, in bytes: 16 MiB, room for a hundred thousand written-down targets.
pub const CONFIG_BYTES_MAX: u64 = 16 << 20;

/// A configuration, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What holds for everything.
    pub global: Global,
    /// What to scrape, in the order of the files; names are unique.
    pub jobs: Vec<Job>,
    /// How samples are kept.
    pub storage: Storage,
    /// Where alerts go.
    pub alerting: Alerting,
    /// Files with rules, each maybe a pattern for [`glob::expand`].
    pub rule_files: Vec<PathBuf>,
    /// Files with more jobs, the same way; [`load`] has read them.
    pub scrape_config_files: Vec<PathBuf>,
    /// The file's text, each secret in it replaced by `<secret>`; for people to look at.
    pub text: String,
}
