//! Flags of commands that ask a running server, and of checks beside files: promtool's.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How to ask.
#[derive(Args, Debug)]
pub struct ClientFlags {
    /// How to connect: authorization, TLS and so on, as in a job of the configuration
    #[arg(long = "http.config.file", value_name = "FILE", global = true)]
    pub http_config_file: Option<PathBuf>,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// As PromQL writes series
    Promql,
    /// As the server answered
    Json,
}

/// Flags of `query instant`.
#[derive(Args, Debug)]
pub struct InstantFlags {
    /// The server
    pub server: String,
    /// The query
    pub expr: String,
    /// When it is evaluated, in seconds since 1970 or as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
}

/// Flags of `query range`.
#[derive(Args, Debug)]
pub struct RangeFlags {
    /// The server
    pub server: String,
    /// The query
    pub expr: String,
    /// A header to send, NAME=VALUE; may be given several times
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub headers: Vec<String>,
    /// The first step [default: five minutes before the end]
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// The last step [default: now]
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
    /// How far two steps are apart, as 15s or 1m30s [default: what makes 250 of them]
    #[arg(long, value_name = "DURATION")]
    pub step: Option<String>,
}

/// Flags of `query series`.
#[derive(Args, Debug)]
pub struct SeriesFlags {
    /// The server
    pub server: String,
    /// Series that this selector selects; may be given several times
    #[arg(long = "match", value_name = "SELECTOR", required = true)]
    pub matchers: Vec<String>,
    /// From when on
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
}

/// Flags of `query labels`.
#[derive(Args, Debug)]
pub struct LabelsFlags {
    /// The server
    pub server: String,
    /// The label whose values are asked for
    pub name: String,
    /// Of series that this selector selects; may be given several times
    #[arg(long = "match", value_name = "SELECTOR")]
    pub matchers: Vec<String>,
    /// From when on
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
}

/// Flags of `check healthy` and `check ready`.
#[derive(Args, Debug)]
pub struct ProbeFlags {
    /// The server
    #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
    pub url: String,
    /// How to ask it
    #[command(flatten)]
    pub client: ClientFlags,
}

/// Flags of `check metrics`.
#[derive(Args, Debug)]
pub struct CheckMetricsFlags {
    /// Say how many series each metric has
    #[arg(long)]
    pub extended: bool,
}
