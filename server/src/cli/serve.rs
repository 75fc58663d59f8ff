//! `inferometer serve`: scrapes what a configuration file says, and what is built in.
//!
//! Without a configuration the built-in jobs are on inside Kubernetes, where they find something;
//! elsewhere its absence is an error, unless `--preset` asks for them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use scraper::cycle::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use super::logging;
use crate::app::{self, App, AppOptions};
use crate::config::{self, Config, Storage};
use crate::features::Enabled;
use crate::flags::{Monitors, Preset, ServeFlags};
use crate::packs::{BuiltIn, Choice, jobs};
use crate::reload::ConfigFile;
use crate::rules::manager::RuleOptions;
use crate::upkeep::Retention;
use crate::web::{self, WebOptions};

/// The configuration that is read if no flag names one.
const CONFIG_FILE: &str = "prometheus.yml";

/// How long samples are kept if nothing is said: 15 days, as in Prometheus.
const RETENTION_MS: i64 = 15 * 86_400_000;

/// Runs until SIGINT or SIGTERM.
pub fn run(flags: &ServeFlags) -> anyhow::Result<ExitCode> {
    logging::start(&flags.shared)?;
    let (file, config, built_in) = configuration(flags)?;
    let notify_file = flags.alerting.notify_file.as_deref();
    let direct = notify_file.map(config::load_notify).transpose()?;
    let file = match (file, notify_file) {
        (Some(file), Some(path)) => Some(file.with_notify(path)),
        (file, _) => file,
    };
    let language = Enabled::new(&flags.shared.features).language;
    let mut rules = RuleOptions::load(&config, language)?;
    built_in.add_rules(&mut rules);
    // What finds llm-d by itself finds its monitors too.
    let otherwise = if built_in.jobs { Monitors::Auto } else { Monitors::Off };
    let options = AppOptions {
        shared: flags.shared.clone(),
        remote_write: flags.remote_write,
        admin: flags.admin_api,
        retention: retention(flags, &config.storage)?,
        out_of_order_ms: config.storage.out_of_order_ms,
        exemplars_max: config.storage.exemplars_max,
        file,
        lifecycle: flags.lifecycle,
        rules,
        monitors: flags.monitors.settings(otherwise, &config.global, watch(flags)),
        alerting: flags.alerting.options(),
        direct,
        notice: None,
        web: web(flags),
    };
    super::runtime()?.block_on(async {
        // From here on SIGHUP ends nothing, not even while the store is being opened.
        let _hangups = signal(SignalKind::hangup()).context("SIGHUP cannot be waited for")?;
        let mut listeners = Vec::new();
        for address in &flags.listen {
            listeners.push(web::listen(address).await?);
        }
        let app = App::open(&flags.storage_path, options, Arc::new(SystemClock::default()))?;
        app.serve(listeners, config.jobs, app::signal()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The file, if there is one; what it says, with the built-in jobs; and what of the built-in is on.
fn configuration(flags: &ServeFlags) -> anyhow::Result<(Option<ConfigFile>, Config, BuiltIn)> {
    let path = flags.config_file.as_deref().unwrap_or(Path::new(CONFIG_FILE));
    let is_there = flags.config_file.is_some() || path.exists();
    let built_in = built_in(flags, !is_there && jobs::in_kubernetes());
    if !is_there && built_in.jobs {
        let mut config = config::parse("", "no configuration", Path::new(""))?;
        built_in.add_jobs(&mut config);
        let count = config.jobs.len();
        tracing::info!(
            "there is no {CONFIG_FILE}: llm-d is found by {count} built-in jobs, and {}; \
             --preset=none leaves them out, `inferometer packs` lists them",
            built_in.packs
        );
        return Ok((None, config, built_in));
    }
    let file = ConfigFile::load(path, watch(flags), built_in.clone())?;
    let config = file.config.clone();
    let built_in_jobs = if built_in.jobs { ", those built in among them" } else { "" };
    tracing::info!(
        "{} jobs in {}{built_in_jobs}; {}",
        config.jobs.len(),
        path.display(),
        built_in.packs
    );
    Ok((Some(file), config, built_in))
}

/// How often is looked whether files have changed.
fn watch(flags: &ServeFlags) -> Option<Duration> {
    let watch = Duration::from_millis(flags.watch_ms.unsigned_abs());
    Some(watch).filter(|every| !every.is_zero())
}

/// What is on: what the flags say, or else all of it if `by_itself`.
fn built_in(flags: &ServeFlags, by_itself: bool) -> BuiltIn {
    let jobs = flags.preset.map_or(by_itself, |preset| preset == Preset::LlmD);
    let default = || if jobs { Choice::all() } else { Choice::default() };
    BuiltIn { jobs, packs: flags.packs.clone().unwrap_or_else(default) }
}

fn web(flags: &ServeFlags) -> WebOptions {
    // An empty text is none, as in Prometheus.
    let given = |flag: &Option<String>| flag.clone().filter(|text| !text.is_empty());
    WebOptions {
        config_file: given(&flags.web_config_file).map(PathBuf::from),
        external_url: given(&flags.external_url),
        route_prefix: given(&flags.route_prefix),
        connections_max: flags.connections_max,
        read_timeout: Duration::from_millis(flags.read_timeout_ms.unsigned_abs()),
    }
}

/// What the file says goes before what the flags say, as in Prometheus.
fn retention(flags: &ServeFlags, file: &Storage) -> anyhow::Result<Retention> {
    // 0 is no limit.
    let bytes = file.retention_bytes.or(flags.retention_bytes).filter(|bytes| *bytes > 0);
    let part = file.retention_percent.map(|percent| part_of_disk(&flags.storage_path, percent));
    let bytes = bytes.into_iter().chain(part.transpose()?).min();
    let default_ms = bytes.is_none().then_some(RETENTION_MS);
    Ok(Retention { ms: file.retention_ms.or(flags.retention_ms).or(default_ms), bytes })
}

/// How many bytes a part of the file system has that `directory` is on, or will be.
fn part_of_disk(directory: &Path, percent: f64) -> anyhow::Result<u64> {
    let absolute = std::path::absolute(directory)?;
    let existing = absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(existing)
        .with_context(|| format!("cannot tell the size of the disk of {}", existing.display()))?;
    Ok((disk.f_blocks as f64 * disk.f_frsize as f64 * percent / 100.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{Command, Flags};

    #[test]
    fn what_is_built_in_is_on() {
        // Flags; whether there is no configuration, inside Kubernetes; the jobs are on; so many packs.
        let all = Choice::all().packs().count();
        let rows = [
            ("", false, false, 0),
            ("", true, true, all),
            ("--preset=llm-d", false, true, all),
            ("--preset=none", true, false, 0),
            ("--packs=llm-d-slo", false, false, 1),
            ("--preset=llm-d --packs=none", false, true, 0),
            ("--packs=-llm-d-slo", true, true, all - 1),
            ("--preset=none --packs=all", true, false, all),
        ];
        for (line, by_itself, jobs, packs) in rows {
            let line = format!("inferometer serve {line}");
            let flags = Flags::parse_from_args(line.split_whitespace().map(str::to_owned));
            let Ok(Flags { command: Command::Serve(flags) }) = flags else { panic!("{line}") };
            let on = built_in(&flags, by_itself);
            assert_eq!((on.jobs, on.packs.packs().count()), (jobs, packs), "{line} {by_itself}");
        }
    }
}
