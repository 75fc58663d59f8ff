//! Targets from DNS (`dns_sd_configs`).

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
