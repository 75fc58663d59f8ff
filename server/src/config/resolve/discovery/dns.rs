//! `dns_sd_configs`.

use scraper::discover::dns::{DnsKind, DnsOptions};

use super::super::super::error::{Place, Problem};
use super::super::super::raw::{DnsConfig, given, items};
use super::value;

/// Prometheus's `DefaultSDConfig.RefreshInterval` of DNS.
const REFRESH_MS: i64 = 30_000;

/// Every kind of records.
const KINDS: [(&str, DnsKind); 5] = [
    ("SRV", DnsKind::Srv),
    ("A", DnsKind::A),
    ("AAAA", DnsKind::Aaaa),
    ("MX", DnsKind::Mx),
    ("NS", DnsKind::Ns),
];

/// Decides what is looked up.
pub(super) fn dns((raw, place): (&DnsConfig, Place)) -> Result<DnsOptions, Problem> {
    let names = value::texts(items(&raw.names));
    if names.is_empty() {
        let what = "DNS-SD config must contain at least one SRV record name";
        return Err(Problem::new(place, what, "add `names`"));
    }
    let kind = kind(raw)?;
    let port = given(&raw.port).filter(|(port, _)| **port != 0);
    if port.is_none() && kind != DnsKind::Srv {
        let what = "a port is required in DNS-SD configs for all record types except SRV";
        return Err(Problem::new(place, what, "add `port`, at which all of them are scraped"));
    }
    let port = port.map_or(Ok(0), |(port, place)| {
        let what = format!("{port} is no port");
        u16::try_from(*port).map_err(|_| Problem::new(place, what, "write 1 to 65535"))
    });
    Ok(DnsOptions {
        names,
        kind,
        port: port?,
        refresh_ms: value::duration(&raw.refresh_interval)?.unwrap_or(REFRESH_MS),
    })
}

fn kind(raw: &DnsConfig) -> Result<DnsKind, Problem> {
    let Some(written) = &raw.kind else { return Ok(DnsKind::Srv) };
    let text = written.value.as_deref().unwrap_or_default();
    let known = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(_, kind)| *kind).ok_or_else(|| {
        let what = format!("invalid DNS-SD records type {text}");
        Problem::new(written.place, what, "write one of SRV, A, AAAA, MX, NS")
    })
}
