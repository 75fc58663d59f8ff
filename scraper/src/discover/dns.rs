//! Targets from DNS (`dns_sd_configs`).
//!
//! Every `refresh_ms` all names are looked up, at the same time. A name that does not exist has no
//! targets; a name that nobody could answer for keeps those that it had, and is a problem until
//! there is an answer.
//!
//! Source of the rules: Prometheus 3.14, `discovery/dns`.

mod ask;
mod resolver;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::{ADDRESS, LabelPairs, Problems, TargetGroup, Updates, pause, refresh};
use resolver::Resolver;

/// Where the servers' addresses are.
const RESOLV_CONF: &str = "/etc/resolv.conf";
const NAME_LABEL: &str = "__meta_dns_name";
const SRV_TARGET_LABEL: &str = "__meta_dns_srv_record_target";
const SRV_PORT_LABEL: &str = "__meta_dns_srv_record_port";
const MX_LABEL: &str = "__meta_dns_mx_record_target";
const NS_LABEL: &str = "__meta_dns_ns_record_target";

/// What to look up, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// The names; never empty.
    pub names: Vec<String>,
    /// Which records.
    pub kind: DnsKind,
    /// The port of every target; SRV records have their own, and it is 0 there.
    pub port: u16,
    /// Milliseconds from one lookup to the next.
    pub refresh_ms: i64,
}

/// A kind of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in DNS")]
pub enum DnsKind {
    A,
    Aaaa,
    Mx,
    Ns,
    Srv,
}

impl DnsKind {
    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Srv => "SRV",
        }
    }

    fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Mx => RecordType::MX,
            Self::Ns => RecordType::NS,
            Self::Srv => RecordType::SRV,
        }
    }
}

impl DnsOptions {
    /// Sends what the system's DNS servers say, until it is dropped or nobody takes it.
    pub async fn run(self, updates: Updates, problems: Problems) {
        self.run_with(|| Resolver::read(Path::new(RESOLV_CONF)), updates, problems).await;
    }

    /// The same; `resolver` is asked for before each round, as its file may change.
    async fn run_with(
        self,
        resolver: impl Fn() -> Result<Resolver, String>,
        updates: Updates,
        problems: Problems,
    ) {
        let every = refresh(self.refresh_ms);
        let options = Arc::new(self);
        loop {
            let groups = match resolver() {
                Ok(resolver) => {
                    problems.clear(RESOLV_CONF);
                    options.look_up(Arc::new(resolver), &problems).await
                }
                Err(why) => {
                    problems.set(RESOLV_CONF, &why);
                    Vec::new()
                }
            };
            if !groups.is_empty() && updates.send(groups).await.is_err() {
                return;
            }
            if !pause(&updates, every).await {
                return;
            }
        }
    }

    /// The groups of the names that could be answered for.
    async fn look_up(
        self: &Arc<Self>,
        resolver: Arc<Resolver>,
        problems: &Problems,
    ) -> Vec<TargetGroup> {
        let mut lookups = JoinSet::new();
        for name in self.names.clone() {
            let (options, resolver) = (self.clone(), resolver.clone());
            lookups.spawn(async move {
                let answer = resolver.look_up(&name, options.kind.record_type()).await;
                (options.group(&name, answer.as_deref().unwrap_or_default()), answer.err())
            });
        }
        let mut groups = Vec::new();
        for (group, failed) in lookups.join_all().await {
            let tried = format!("look up {} records of {}", self.kind.as_str(), group.source);
            match failed {
                Some(why) => {
                    problems.set(&tried, &why);
                }
                None => {
                    problems.clear(&tried);
                    groups.push(group);
                }
            }
        }
        groups
    }

    fn group(&self, name: &str, records: &[Record]) -> TargetGroup {
        let targets = records.iter().filter_map(|record| self.target(name, record)).collect();
        TargetGroup { source: name.to_owned(), targets, labels: LabelPairs::new() }
    }

    /// The target that a record stands for; others than those wanted (a CNAME on the way) are none.
    fn target(&self, name: &str, record: &Record) -> Option<LabelPairs> {
        let rooted = |name: &Name| name.to_ascii();
        let (host, port, more) = match &record.data {
            RData::A(address) => (address.0.to_string(), self.port, vec![]),
            RData::AAAA(address) => (address.0.to_string(), self.port, vec![]),
            RData::SRV(srv) => {
                let target = rooted(&srv.target);
                let labels = vec![
                    (SRV_TARGET_LABEL, target.clone()),
                    (SRV_PORT_LABEL, srv.port.to_string()),
                ];
                (target, srv.port, labels)
            }
            RData::MX(mx) => {
                let target = rooted(&mx.exchange);
                (target.clone(), self.port, vec![(MX_LABEL, target)])
            }
            RData::NS(ns) => {
                let target = rooted(&ns.0);
                (target.clone(), self.port, vec![(NS_LABEL, target)])
            }
            _ => return None,
        };
        let host = host.trim_end_matches('.');
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let own = [(ADDRESS, format!("{host}:{port}")), (NAME_LABEL, name.to_owned())];
        Some(own.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
