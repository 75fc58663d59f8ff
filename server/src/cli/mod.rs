//! The subcommands, one file each.

pub mod check;
pub mod check_metrics;
pub mod check_rules;
pub mod check_web_config;
mod client;
pub mod demo;
mod logging;
pub mod packs;
pub mod probe;
pub mod query;
pub mod serve;
pub mod silence;
pub mod test;
pub mod tsdb;

use anyhow::Context;

/// The async runtime of a subcommand that serves; TLS needs its provider chosen once.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // Fails only if a provider is chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime")
}
