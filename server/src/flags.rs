//! The command line: every flag with its default and its help, in one table.
//!
//! Names are Prometheus's where it has them. A bare `inferometer --config.file=…` means `serve`.

mod alerting;
mod ask;
mod check;
mod monitors;
mod packs;
mod query;
mod silence;
mod tsdb;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::tsdb::model::duration::parse_duration;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use regex::Regex;

pub use alerting::{AlertingFlags, AlertingOptions};
pub use ask::{
    AnswerFormat, CheckMetricsFlags, ClientFlags, InstantFlags, LabelsFlags, ProbeFlags,
    RangeFlags, SeriesFlags,
};
pub use check::{
    CheckCommand, CheckConfigFlags, CheckRulesFlags, Lint, TestCommand, TestRulesFlags,
};
pub use monitors::{MonitorFlags, Monitors};
pub use packs::{PacksCommand, PacksFlags, Preset};
pub use query::{ExplainFlags, QueryCommand, QueryFlags};
pub use silence::{SilenceAddFlags, SilenceCommand};
pub use tsdb::{AnalyzeFlags, DumpFlags, DumpFormat, ImportCommand, TsdbCommand};

use crate::config::parse_bytes;
use crate::idle_flags;
use crate::packs::Choice;

/// Collects, stores, queries and shows the metrics of LLM inference clusters.
#[derive(Debug, Parser)]
#[command(name = "inferometer", version, about, max_term_width = 100)]
pub struct Flags {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scrape the targets of a configuration file, and answer queries
    Serve(Box<ServeFlags>),
    /// Start a simulated fleet and a server that scrapes it
    Demo(DemoFlags),
    /// Ask a running server
    Query(QueryFlags),
    /// Say what is wrong with files before they are used
    #[command(subcommand)]
    Check(CheckCommand),
    /// Run test files
    #[command(subcommand)]
    Test(TestCommand),
    /// Make, list and end silences of the built-in sender
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// Look into a store's files, move samples out of and into them
    #[command(subcommand)]
    Tsdb(TsdbCommand),
    /// List the built-in jobs and rules, or print one of their files
    Packs(PacksFlags),
}

/// Flags of `serve`.
#[derive(Args, Debug)]
pub struct ServeFlags {
    /// The configuration, in Prometheus's format [default: prometheus.yml]
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// What is added to the configuration, which then may be absent [default: llm-d inside Kubernetes
    /// if there is no configuration, else none]
    #[arg(long, value_enum, value_name = "NAME")]
    pub preset: Option<Preset>,
    /// Which packs of rules are on: names as `inferometer packs` lists them, between commas; all, none,
    /// or -NAME to take one out of all [default: all with --preset=llm-d, else none]
    #[arg(long, value_parser = Choice::parse, value_name = "NAMES", allow_hyphen_values = true)]
    pub packs: Option<Choice>,
    /// Where samples are kept
    #[arg(long = "storage.tsdb.path", default_value = "data/", value_name = "DIR")]
    pub storage_path: PathBuf,
    /// How long samples are kept; 15d if there is no limit of size either
    #[arg(long = "storage.tsdb.retention.time", value_parser = duration_ms,
          value_name = "DURATION")]
    pub retention_ms: Option<i64>,
    /// How many bytes log and blocks may take before the oldest blocks go: a number with a unit of
    /// B, KB, MB, GB, TB, PB or EB, in powers of 1024 [default: no limit]
    #[arg(long = "storage.tsdb.retention.size", value_parser = parse_bytes, value_name = "SIZE")]
    pub retention_bytes: Option<u64>,
    /// Accept samples at /api/v1/write (remote write 1.0)
    #[arg(long = "web.enable-remote-write-receiver")]
    pub remote_write: bool,
    /// Answer at /api/v1/admin/tsdb/: delete series, clean up after deletions, take snapshots
    #[arg(long = "web.enable-admin-api")]
    pub admin_api: bool,
    /// Answer at /-/reload and /-/quit
    #[arg(long = "web.enable-lifecycle")]
    pub lifecycle: bool,
    /// How often is looked whether the configuration has changed; 0s: never
    #[arg(long = "config.auto-reload-interval", default_value = "3s",
          value_parser = pause_ms, value_name = "DURATION")]
    pub watch_ms: i64,
    /// Where monitors are read
    #[command(flatten)]
    pub monitors: MonitorFlags,
    /// How alerts are raised and sent
    #[command(flatten)]
    pub alerting: AlertingFlags,
    /// Flags that `demo` has too
    #[command(flatten)]
    pub shared: SharedFlags,
    /// The address to listen on; may be given several times
    #[arg(long = "web.listen-address", default_value = "0.0.0.0:9090", value_name = "ADDRESS")]
    pub listen: Vec<String>,
    /// A file that says who may ask, and how: TLS, passwords, tokens, headers, a rate limit
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<String>,
    /// How others reach this server, if a proxy stands before it [default: http://HOSTNAME:PORT]
    #[arg(long = "web.external-url", value_name = "URL")]
    pub external_url: Option<String>,
    /// What stands before every path [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    pub route_prefix: Option<String>,
    /// How many connections may be open at once; one more closes one that is unused
    #[arg(long = "web.max-connections", default_value_t = 512, value_name = "COUNT")]
    pub connections_max: usize,
    /// How long a request may take to come, and how long a connection may be unused
    #[arg(long = "web.read-timeout", default_value = "5m", value_parser = duration_ms,
          value_name = "DURATION")]
    pub read_timeout_ms: i64,
}

/// Flags of `demo`.
#[derive(Args, Debug)]
pub struct DemoFlags {
    /// Where samples are kept; a new temporary directory, removed at the end, if not given
    #[arg(long = "storage.tsdb.path", value_name = "DIR")]
    pub storage_path: Option<PathBuf>,
    /// The address to listen on
    #[arg(long = "web.listen-address", default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    pub listen: String,
    /// Seed of the simulation: the same seed makes the same fleet
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Flags that `serve` has too
    #[command(flatten)]
    pub shared: SharedFlags,
}

/// Flags of everything that answers queries.
#[derive(Args, Clone, Debug)]
pub struct SharedFlags {
    /// How far back an instant query looks for a series' newest sample
    #[arg(long = "query.lookback-delta", default_value = "5m", value_parser = duration_ms,
          value_name = "DURATION")]
    pub lookback_ms: i64,
    /// How long a query may take
    #[arg(long = "query.timeout", default_value = "2m", value_parser = duration_ms,
          value_name = "DURATION")]
    pub timeout_ms: i64,
    /// How many samples a query may hold at once
    #[arg(long = "query.max-samples", default_value_t = 50_000_000, value_name = "COUNT")]
    pub samples_max: u64,
    /// How many bytes of memory all running queries together may hold; a sample counts 32
    #[arg(long = "query.max-memory", default_value = "2GB", value_parser = parse_bytes,
          value_name = "SIZE")]
    pub memory_max: u64,
    /// How many bytes of memory may keep what range queries gave, for when they are asked again; 0
    /// keeps nothing
    #[arg(long = "query.cache-bytes", default_value = "32MB", value_parser = parse_bytes,
          value_name = "SIZE")]
    pub cache_bytes: u64,
    /// Optional features of Prometheus, by its names, between commas
    #[arg(long = "enable-feature", value_name = "NAMES")]
    pub features: Vec<String>,
    /// How much a power cut may lose; a killed process loses nothing
    #[arg(long = "storage.wal-sync-interval", default_value = "1s", value_parser = duration_ms,
          value_name = "DURATION")]
    pub sync_ms: i64,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long = "log.level", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    /// Pages of which origins may read the API: a regular expression for the whole origin
    #[arg(long = "web.cors.origin", default_value = ".*", value_parser = whole_regex,
          value_name = "REGEX")]
    pub origins: Regex,
    /// Every flag with its value, as `/api/v1/status/flags` lists them
    #[arg(skip)]
    pub listed: BTreeMap<String, String>,
    /// Flags that were given and have no effect
    #[arg(skip)]
    pub idle: Vec<String>,
    /// How it is logged: logfmt or json
    #[arg(long = "log.format", default_value = "logfmt", value_name = "FORMAT",
          value_parser = ["logfmt", "json"])]
    pub log_format: String,
}

fn whole_regex(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())
}

/// The flags of subcommand `name` with their values as texts; empty without a value.
fn listed(name: &str, matches: &ArgMatches) -> BTreeMap<String, String> {
    let command = Flags::command();
    let arguments =
        command.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
    let value = |id: &str| {
        let values = matches.get_raw(id).into_iter().flatten();
        values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",")
    };
    let named = arguments.filter_map(|own| Some((own.get_long()?, own)));
    let pairs = named.map(|(long, own)| {
        let id = own.get_id().as_str();
        let is_switch = !own.get_action().takes_values();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        (long.to_owned(), if is_switch { is_given.to_string() } else { value(id) })
    });
    pairs.collect()
}

fn duration_ms(text: &str) -> Result<i64, String> {
    match parse_duration(text) {
        Ok(0) => Err("has to be longer than 0".to_owned()),
        Ok(ms) => Ok(ms),
        Err(error) => Err(format!("{error}; write it as 15d, 1h30m or 5s")),
    }
}

/// As [`duration_ms`], with 0.
fn pause_ms(text: &str) -> Result<i64, String> {
    parse_duration(text).map_err(|error| format!("{error}; write it as 15d, 1h30m or 5s"))
}

impl Flags {
    /// Reads the command line; flags without a subcommand are those of `serve`.
    pub fn parse_from_args(args: impl IntoIterator<Item = String>) -> Result<Self, clap::Error> {
        let mut args: Vec<String> = args.into_iter().collect();
        let own = ["--help", "-h", "--version", "-V"];
        let bare = args.get(1).is_some_and(|a| a.starts_with('-') && !own.contains(&a.as_str()));
        if bare {
            args.insert(1, "serve".to_owned());
        }
        let (args, idle) = idle_flags::take(args);
        let matches = Self::command().try_get_matches_from(args)?;
        let mut flags = Self::from_arg_matches(&matches)?;
        let shared = match &mut flags.command {
            Command::Serve(own) => &mut own.shared,
            Command::Demo(own) => &mut own.shared,
            _ => return Ok(flags),
        };
        if let Some((name, matches)) = matches.subcommand() {
            shared.listed = listed(name, matches);
            shared.listed.extend(idle_flags::listed(&idle));
            shared.idle = idle.into_keys().collect();
        }
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Flags, String> {
        Flags::parse_from_args(line.split(' ').map(str::to_owned)).map_err(|e| e.to_string())
    }

    #[test]
    fn bare_flags_mean_serve() {
        let flags = parsed("inferometer --config.file=a.yml --storage.tsdb.retention.time=7d");
        let Ok(Flags { command: Command::Serve(serve) }) = flags else { panic!("{flags:?}") };
        assert_eq!(serve.config_file, Some(PathBuf::from("a.yml")));
        assert_eq!((serve.preset, &serve.packs), (None, &None));
        assert_eq!(serve.retention_ms, Some(7 * 86_400_000));
        assert_eq!((serve.retention_bytes, serve.admin_api), (None, false));
        assert_eq!(serve.listen, ["0.0.0.0:9090"]);
        assert_eq!((serve.monitors.monitors, serve.monitors.monitor_files.len()), (None, 0));
        assert_eq!(serve.shared.cache_bytes, 32 << 20);
        let off = parsed("inferometer demo --query.cache-bytes=0");
        let Ok(Flags { command: Command::Demo(demo) }) = off else { panic!("{off:?}") };
        assert_eq!(demo.shared.cache_bytes, 0);
    }

    #[test]
    fn monitors_are_read_where_the_flags_say() {
        let rows = [
            ("", Monitors::Off, None),
            ("", Monitors::On, Some("")),
            (" --kubernetes.monitors=off", Monitors::On, None),
            (
                " --kubernetes.monitors=on --kubernetes.monitor-selector=a=b",
                Monitors::Off,
                Some("a=b"),
            ),
            (" --kubernetes.monitors=auto --kubernetes.kubeconfig=k", Monitors::Off, Some("")),
            (" --kubernetes.monitor-files=a --kubernetes.monitor-files=b", Monitors::Off, None),
        ];
        let global = crate::config::parse("", "", std::path::Path::new("")).unwrap().global;
        for (line, otherwise, selector) in rows {
            let flags = parsed(&format!("inferometer serve{line}"));
            let Ok(Flags { command: Command::Serve(serve) }) = flags else { panic!("{flags:?}") };
            let settings = serve.monitors.settings(otherwise, &global, None);
            let shown = settings.cluster.as_ref().map(|options| options.selector.as_str());
            assert_eq!(shown, selector, "{line}");
            assert_eq!(settings.files.len(), line.matches("-files").count(), "{line}");
            assert_eq!(settings.defaults.interval_ms, 60_000);
        }
    }

    #[test]
    fn errors_name_the_flag() {
        let rows = [
            ("inferometer serve --query.timeout=2", "'--query.timeout <DURATION>'"),
            ("inferometer serve --query.timeout=0s", "has to be longer than 0"),
            ("inferometer serve --storage.tsdb.pth=x", "--storage.tsdb.path"),
            ("inferometer serve --storage.tsdb.retention.size=512", "units: unknown unit  in 512"),
            ("inferometer serve --storage.tsdb.retention.size=x", "units: invalid x"),
            ("inferometer serve --query.cache-bytes=32", "'--query.cache-bytes <SIZE>'"),
            ("inferometer query explain up --start=0", "--end <TIME>"),
            ("inferometer query explain up --time=0 --step=1", "cannot be used with"),
            ("inferometer serve --kubernetes.monitors=yes", "[possible values: off, on, auto]"),
            ("inferometer dmo", "demo"),
            ("inferometer --preset=llmd", "[possible values: llm-d, none]"),
            ("inferometer --packs=llm-d-slos", "did you mean llm-d-slo?"),
        ];
        for (line, part) in rows {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
