//! Flags of `query`.

use clap::{Args, Subcommand};

use super::{AnswerFormat, ClientFlags, InstantFlags, LabelsFlags, RangeFlags, SeriesFlags};

/// What can be asked, and how.
#[derive(Args, Debug)]
pub struct QueryFlags {
    /// What the answer looks like
    #[arg(
        long,
        short = 'o',
        value_enum,
        default_value = "promql",
        value_name = "FORMAT",
        global = true
    )]
    pub format: AnswerFormat,
    /// How to ask
    #[command(flatten)]
    pub client: ClientFlags,
    /// What to ask
    #[command(subcommand)]
    pub command: QueryCommand,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum QueryCommand {
    /// What a query gives at one time
    Instant(InstantFlags),
    /// What it gives at each step of a range
    Range(RangeFlags),
    /// Which series there are
    Series(SeriesFlags),
    /// Which values a label has
    Labels(LabelsFlags),
    /// Say what a query would do, without doing it
    Explain(ExplainFlags),
}

/// Flags of `query explain`.
#[derive(Args, Debug)]
pub struct ExplainFlags {
    /// The query
    pub expr: String,
    /// The server
    #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
    pub server: String,
    /// When it is evaluated, in seconds since 1970 or as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["start", "end", "step"])]
    pub time: Option<String>,
    /// The first step of a range query
    #[arg(long, value_name = "TIME", requires_all = ["end", "step"])]
    pub start: Option<String>,
    /// The last step at most
    #[arg(long, value_name = "TIME", requires_all = ["start", "step"])]
    pub end: Option<String>,
    /// How far two steps are apart: 15s, or a number of seconds
    #[arg(long, value_name = "DURATION", requires_all = ["start", "end"])]
    pub step: Option<String>,
}
