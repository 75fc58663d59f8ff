//! Flags of `silence`.

use clap::{Args, Subcommand};

use super::duration_ms;

/// What can be done with silences of the built-in sender.
#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// Have alerts that match not be told; prints the silence's id
    Add(SilenceAddFlags),
    /// List silences
    List {
        /// The server
        #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
        server: String,
        /// Those that have ended, too
        #[arg(long)]
        all: bool,
    },
    /// End a silence now
    Expire {
        /// Which
        id: String,
        /// The server
        #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
        server: String,
    },
}

/// Flags of `silence add`.
#[derive(Args, Debug)]
pub struct SilenceAddFlags {
    /// What an alert has to match: severity="page", pod=~"a.*"
    #[arg(required = true)]
    pub matchers: Vec<String>,
    /// How long it lasts, from now on
    #[arg(long = "duration", default_value = "1h", value_parser = duration_ms, value_name = "DURATION")]
    pub duration_ms: i64,
    /// Who makes it
    #[arg(long, default_value = "")]
    pub author: String,
    /// Why
    #[arg(long, default_value = "")]
    pub comment: String,
    /// The server
    #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
    pub server: String,
}
