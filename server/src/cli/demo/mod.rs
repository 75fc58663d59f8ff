//! `inferometer demo`: a simulated fleet and a server that scrapes it, in one command.
//!
//! 1. The port is taken first, so that a taken one is said at once.
//! 2. An empty store gets an hour of history: `history` steps the simulator through it and
//!    passes its pages through the parser and the store that live scrapes use.
//! 3. The same simulator goes on behind real HTTP (`simulate::serve`), and the server
//!    scrapes it every five seconds.

mod directory;
mod history;
mod jobs;

use std::process::ExitCode;
use std::sync::Arc;

use scraper::cycle::{Clock, SystemClock};
use tokio::sync::watch;

use super::logging;
use crate::app::{self, App, AppOptions};
use crate::flags::{AlertingOptions, DemoFlags};
use crate::monitors::MonitorSettings;
use crate::packs::{BuiltIn, Choice};
use crate::rules::manager::RuleOptions;
use crate::simulate::Fleet;
use crate::simulate::serve::Servers;
use crate::upkeep::Retention;
use crate::web::{WebOptions, listen};
use directory::Directory;

/// The token that the endpoint picker of the simulation asks for.
const TOKEN: &str = "demo-token";

/// What page and log say about the data.
const MADE_UP: &str = "simulated, the first hour was made up at start";
/// The same for a store that had samples before.
const CONTINUED: &str = "simulated, after the samples that the store had";

/// Runs until SIGINT or SIGTERM.
pub fn run(flags: &DemoFlags) -> anyhow::Result<ExitCode> {
    logging::start(&flags.shared)?;
    super::runtime()?.block_on(demo(flags))?;
    Ok(ExitCode::SUCCESS)
}

async fn demo(flags: &DemoFlags) -> anyhow::Result<()> {
    let listener = listen(&flags.listen).await?;
    let directory = Directory::choose(flags.storage_path.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut app = App::open(directory.path(), options(flags), clock.clone())?;
    let (fleet, notice) = fleet(&app, flags.seed, &clock)?;
    tracing::info!("{notice}");
    app.set_notice(notice);
    let servers = Servers::bind(fleet, TOKEN, milliseconds(&clock)).await?;
    let addressed = servers.served().iter();
    let jobs = jobs::live(addressed.map(|served| (&served.target, served.address.to_string())));
    introduce(listener.local_addr()?, directory.path(), notice, servers.served().len());
    let (stopping, stopped) = watch::channel(false);
    let simulated = tokio::spawn(servers.run(async move {
        let mut stopped = stopped;
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }));
    app.serve(vec![listener], jobs, app::signal()).await?;
    let _ = stopping.send(true);
    // The scrapers are gone, so nothing is open any more; a fleet that hangs is dropped.
    let _ = tokio::time::timeout(app::STOP_TIMEOUT, simulated).await;
    Ok(())
}

fn options(flags: &DemoFlags) -> AppOptions {
    let shared = flags.shared.clone();
    let mut rules = RuleOptions::default();
    BuiltIn { jobs: false, packs: Choice::all() }.add_rules(&mut rules);
    AppOptions {
        shared,
        remote_write: false,
        admin: false,
        retention: Retention::default(),
        out_of_order_ms: 0,
        exemplars_max: None,
        file: None,
        lifecycle: false,
        rules,
        monitors: MonitorSettings::default(),
        alerting: AlertingOptions::default(),
        direct: None,
        notice: None,
        web: WebOptions::default(),
    }
}

/// The fleet at this moment, and what is to be said about the past.
fn fleet(app: &App, seed: u64, clock: &Arc<dyn Clock>) -> anyhow::Result<(Fleet, &'static str)> {
    let end = clock.now();
    if app.db().stats().samples > 0 {
        let mut fleet = Fleet::new(seed, end.ms());
        fleet.advance_to(end.ms());
        return Ok((fleet, CONTINUED));
    }
    let fleet = history::write(seed, end, &**app.db())?;
    Ok((fleet, MADE_UP))
}

fn milliseconds(clock: &Arc<dyn Clock>) -> crate::simulate::serve::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now().ms())
}

/// Says on stdout what runs where, and how to ask it.
fn introduce(address: std::net::SocketAddr, store: &std::path::Path, notice: &str, targets: usize) {
    let host =
        if address.ip().is_loopback() { "localhost".into() } else { address.ip().to_string() };
    let url = format!("http://{host}:{}", address.port());
    println!("Inferometer demo: a simulated llm-d fleet of {targets} targets, scraped every 5 s.");
    println!("The data is {notice}.");
    println!("Samples are kept in {}.", store.display());
    println!("\n  Dashboard: {url}\n\nAsk the API:\n");
    for query in [
        "query?query=vllm:num_requests_running",
        "query?query=rate(vllm:gpu_prefix_cache_hits_total[5m])%20/%20rate(vllm:gpu_prefix_cache_queries_total[5m])",
        "targets?state=active",
        "rules?type=alert",
    ] {
        println!("  curl -gs '{url}/api/v1/{query}'");
    }
    println!("\nCtrl-C ends it.");
}
