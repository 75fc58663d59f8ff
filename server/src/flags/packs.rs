//! Flags of what is built in.

use clap::{Args, Subcommand, ValueEnum};

use crate::packs::Choice;

/// Flags of `packs`.
#[derive(Args, Debug)]
pub struct PacksFlags {
    /// What to do instead of listing all of them
    #[command(subcommand)]
    pub command: Option<PacksCommand>,
    /// Say which rules would be on with this value of the server's flag
    #[arg(long, default_value = "all", value_parser = Choice::parse, value_name = "NAMES",
          allow_hyphen_values = true)]
    pub packs: Choice,
}

/// What can be done with built-in files.
#[derive(Debug, Subcommand)]
pub enum PacksCommand {
    /// Print the file, to be read or copied
    Show {
        /// As in the list
        name: String,
    },
}

/// Settings for a kind of cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The built-in jobs that find llm-d, and its rules
    LlmD,
    /// Nothing but what the configuration says
    None,
}
