//! The server: everything that users meet, wired from the store, the language and the scraper.
//!
//! Reading order: [`flags`] and [`config`] say what is wanted, [`app`] puts the parts together,
//! [`web`] lets in who may and [`http`] answers; [`upkeep`] looks after the store, [`discovery`]
//! says what is not found; [`packs`] is what is built in, [`monitors`] what objects of Kubernetes
//! add; [`simulate`] is the fleet of `inferometer demo`.

pub mod app;
pub mod cli;
pub mod config;
pub mod discovery;
pub mod exposition;
pub mod features;
pub mod flags;
pub mod http;
pub mod idle_flags;
pub mod ingest;
pub mod metrics;
pub mod mixin;
pub mod monitors;
pub mod notifications;
pub mod notify;
pub mod packs;
pub mod process;
pub mod queries;
pub mod query_log;
pub mod reload;
pub mod rules;
pub mod scraping;
pub mod simulate;
pub mod upkeep;
pub mod web;
