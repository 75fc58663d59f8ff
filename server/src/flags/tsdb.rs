//! Flags of `tsdb`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with a store's files.
#[derive(Debug, Subcommand)]
pub enum TsdbCommand {
    /// Say what takes the room, and which labels make the series many
    Analyze(AnalyzeFlags),
    /// Check every block and the log; exit code 1 if something is damaged
    Verify {
        /// The store's directory; a server may be using it
        #[arg(default_value = "data/")]
        dir: PathBuf,
    },
    /// Write the samples to stdout as text
    Dump(DumpFlags),
    /// Load samples into a store that no server has open
    #[command(subcommand)]
    Import(ImportCommand),
    /// Make a copy of a store that no server has open, by links to its files
    Snapshot {
        /// The store's directory
        dir: PathBuf,
        /// The directory of the copy, on the same file system; empty or not there yet
        target: PathBuf,
    },
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Text in the OpenMetrics format, with a timestamp for each sample, in any order
    Openmetrics {
        /// The file
        file: PathBuf,
        /// The store's directory, made if it is not there
        #[arg(default_value = "data/")]
        dir: PathBuf,
    },
}

/// Flags of `tsdb analyze`.
#[derive(Args, Debug)]
pub struct AnalyzeFlags {
    /// The store's directory; a server may be using it
    #[arg(default_value = "data/")]
    pub dir: PathBuf,
    /// How many lines each list has
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    pub limit: usize,
    /// Count only the series that this selector selects; may be given several times
    #[arg(long = "match", value_name = "SELECTOR")]
    pub matchers: Vec<String>,
}

/// Flags of `tsdb dump`.
#[derive(Args, Debug)]
pub struct DumpFlags {
    /// The store's directory; a server may be using it
    #[arg(default_value = "data/")]
    pub dir: PathBuf,
    /// The oldest time, in milliseconds since 1970
    #[arg(long, default_value_t = i64::MIN, hide_default_value = true, value_name = "MS",
          allow_negative_numbers = true)]
    pub min_time: i64,
    /// The newest time, in milliseconds since 1970
    #[arg(long, default_value_t = i64::MAX, hide_default_value = true, value_name = "MS",
          allow_negative_numbers = true)]
    pub max_time: i64,
    /// Only the series that this selector selects; may be given several times
    #[arg(long = "match", value_name = "SELECTOR")]
    pub matchers: Vec<String>,
    /// What the lines look like
    #[arg(long, value_enum, default_value = "openmetrics", value_name = "FORMAT")]
    pub format: DumpFormat,
}

/// Forms of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DumpFormat {
    /// OpenMetrics, which `import` and promtool load
    Openmetrics,
    /// As `promtool tsdb dump`, native histograms included
    Promtool,
}
