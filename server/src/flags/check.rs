//! Flags of `check` and `test`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{CheckMetricsFlags, ProbeFlags, duration_ms};

/// What can be checked.
#[derive(Debug, Subcommand)]
pub enum CheckCommand {
    /// Check configuration files and the files that they name; exit code 1 if one is wrong
    Config(CheckConfigFlags),
    /// Say what is unusual about a page on stdin; exit code 3 if something is, 1 if it is no page
    Metrics(CheckMetricsFlags),
    /// Check files of --web.config.file; exit code 1 if one is wrong
    WebConfig {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Ask a server whether it runs; exit code 1 if not
    Healthy(ProbeFlags),
    /// Ask a server whether it answers queries; exit code 1 if not
    Ready(ProbeFlags),
    /// Say what is wrong with rule files; exit code 1 if something is
    Rules(CheckRulesFlags),
}

/// Flags of `check rules`, those of promtool.
#[derive(Args, Debug)]
pub struct CheckRulesFlags {
    /// The files [default: what comes on stdin]
    pub files: Vec<PathBuf>,
    /// What else is looked for
    #[arg(long, value_enum, default_value = "duplicate-rules", value_name = "CHECK")]
    pub lint: Lint,
    /// Exit code 3 if that finds something
    #[arg(long)]
    pub lint_fatal: bool,
    /// Pass over fields that are not known
    #[arg(long)]
    pub ignore_unknown_fields: bool,
    /// Optional parts of the language, by Prometheus's names
    #[arg(long = "enable-feature", value_delimiter = ',', value_name = "NAME")]
    pub features: Vec<String>,
}

/// Flags of `check config`, those of promtool.
#[derive(Args, Debug)]
pub struct CheckConfigFlags {
    /// The files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Look at the files alone, and not at those that they name
    #[arg(long)]
    pub syntax_only: bool,
    /// What else is looked for
    #[arg(long, value_enum, default_value = "duplicate-rules", value_name = "CHECK")]
    pub lint: Lint,
    /// Exit code 3 if that finds something
    #[arg(long)]
    pub lint_fatal: bool,
    /// The server's lookback delta: from this on a scrape interval is too long
    #[arg(long = "query.lookback-delta", default_value = "5m", value_parser = duration_ms,
          value_name = "DURATION")]
    pub lookback_ms: i64,
}

/// Checks beside correctness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "named as on the command line")]
pub enum Lint {
    All,
    DuplicateRules,
    TooLongScrapeInterval,
    None,
}

/// What can be tested.
#[derive(Debug, Subcommand)]
pub enum TestCommand {
    /// Run files in the promqltest language against the engine
    Promql {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run unit tests of rules; exit code 1 if one fails
    Rules(TestRulesFlags),
}

/// Flags of `test rules`.
#[derive(Args, Debug)]
pub struct TestRulesFlags {
    /// The files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Only run the test groups in whose names this regular expression is found; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub run: Vec<String>,
    /// Pass over fields that are not known
    #[arg(long)]
    pub ignore_unknown_fields: bool,
    /// Optional parts of the language, by Prometheus's names
    #[arg(long = "enable-feature", value_delimiter = ',', value_name = "NAME")]
    pub features: Vec<String>,
}
