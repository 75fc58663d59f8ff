//! Which proxy stands in between, as Go's `golang.org/x/net/http/httpproxy` decides it.
//!
//! `no_proxy` lists, between commas, what is reached directly: `*` (everything), addresses,
//! networks (`10.0.0.0/8`), `.domain` (all hosts below it) and `domain` (the same and itself); each
//! but a network may end with `:port`. With such a list, and with the environment, this machine
//! (`localhost`, 127.0.0.0/8, `::1`) is reached directly too.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{ClientBuilder, Url};

use super::secret;
use crate::job::{Proxy, ProxyServer};

/// Tells the builder which proxy to use for what.
pub(super) fn apply(builder: ClientBuilder, proxy: &Proxy) -> Result<ClientBuilder, String> {
    let builder = builder.no_proxy();
    if proxy.server == ProxyServer::Direct {
        return Ok(builder);
    }
    let through = |scheme: &'static str| {
        let server = proxy.server.clone();
        move |url: &Url| if url.scheme() == scheme { choose(&server, url) } else { None }
    };
    // The headers are for the proxy, which passes those of a plain request on to the target.
    let plain = reqwest::Proxy::custom(through("http"));
    let tunnel = reqwest::Proxy::custom(through("https")).headers(headers(proxy)?);
    Ok(builder.proxy(plain).proxy(tunnel))
}

/// Whether a request for `url` goes through a proxy.
pub(super) fn is_used(proxy: &Proxy, url: &Url) -> bool {
    choose(&proxy.server, url).is_some()
}

fn headers(proxy: &Proxy) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, values) in &proxy.connect_headers {
        let wrong = |_| format!("proxy_connect_header: {name:?} is no header that can be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(()))?;
        for value in values {
            let mut value = HeaderValue::from_str(&secret::text(value)?).map_err(|_| wrong(()))?;
            value.set_sensitive(true);
            headers.append(header.clone(), value);
        }
    }
    Ok(headers)
}

/// The proxy for a URL; `None`: it is reached directly.
fn choose(server: &ProxyServer, url: &Url) -> Option<Url> {
    let (proxy, no_proxy, spares_us) = match server {
        ProxyServer::Direct => return None,
        ProxyServer::Url { url, no_proxy } => (url, no_proxy, !no_proxy.is_empty()),
        ProxyServer::Environment(environment) => {
            let https = url.scheme() == "https";
            let proxy = if https { &environment.https } else { &environment.http };
            (proxy, &environment.no_proxy, true)
        }
    };
    let host = url.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase();
    if proxy.is_empty() || (spares_us && is_this_machine(&host)) {
        return None;
    }
    if no_proxy.split(',').any(|entry| spares(entry.trim(), &host, url.port_or_known_default())) {
        return None;
    }
    let known = ["http://", "https://", "socks5://", "socks5h://"];
    let has_scheme = known.iter().any(|scheme| proxy.starts_with(scheme));
    let text = if has_scheme { proxy.clone() } else { format!("http://{proxy}") };
    Url::parse(&text).ok()
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether an entry of `no_proxy` is about the host.
fn spares(entry: &str, host: &str, port: Option<u16>) -> bool {
    let entry = entry.to_ascii_lowercase();
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return in_network(network, bits, host).unwrap_or(false);
    }
    let (name, wanted) = split_port(&entry);
    if wanted.is_some() && wanted != port {
        return false;
    }
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return host.parse() == Ok(address);
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The name, and the port behind it. An IPv6 address has a port only behind brackets.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let (name, port) = entry.rsplit_once(':').unwrap_or((entry, ""));
    let is_split = !name.contains(':') || name.ends_with(']');
    match port.parse() {
        Ok(port) if is_split => (name, Some(port)),
        _ => (entry, None),
    }
}

fn in_network(network: &str, bits: &str, host: &str) -> Option<bool> {
    let network: IpAddr = network.parse().ok()?;
    let address: IpAddr = host.parse().ok()?;
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return None,
    };
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= width)?;
    Some((network ^ address).checked_shr(width - bits).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Environment;

    #[test]
    fn who_is_reached_directly() {
        let rows = [
            ("", "http://a.b", true),
            ("", "http://localhost:1", true),
            ("x", "http://localhost:1", false),
            ("x", "http://127.1.2.3", false),
            ("x", "http://[::1]:1", false),
            ("*", "http://a.b", false),
            ("b", "http://b", false),
            ("b", "http://a.B", false),
            ("b", "http://ab", true),
            (".b", "http://a.b", false),
            (".b", "http://b", true),
            ("*.b", "http://a.b", false),
            ("x, b:81", "http://b:81", false),
            ("b:81", "http://b", true),
            ("b:443", "https://b", false),
            ("10.0.0.1", "http://10.0.0.1", false),
            ("10.0.0.1", "http://10.0.0.2", true),
            ("10.0.0.0/8", "http://10.9.8.7", false),
            ("10.0.0.0/8", "http://11.9.8.7", true),
            ("0.0.0.0/0", "http://11.9.8.7", false),
            ("10.0.0.0/33", "http://10.0.0.0", true),
            ("fd00::/8", "http://[fd00::2]:1", false),
            ("fd00::2", "http://[fd00::2]:1", false),
            ("[fd00::2]:1", "http://[fd00::2]:1", false),
            ("[fd00::2]:1", "http://[fd00::2]:2", true),
        ];
        for (no_proxy, url, through) in rows {
            let server = ProxyServer::Url { url: "http://p:1".into(), no_proxy: no_proxy.into() };
            let chosen = choose(&server, &Url::parse(url).unwrap());
            assert_eq!(chosen.is_some(), through, "{no_proxy:?} {url}");
        }
    }

    #[test]
    fn the_environment_has_one_for_each_scheme() {
        let environment =
            Environment { http: "p:1".into(), https: String::new(), no_proxy: "c".into() };
        let server = ProxyServer::Environment(environment);
        let rows = [
            ("http://a", Some("http://p:1/")),
            ("https://a", None),
            ("http://b.c", None),
            ("http://localhost", None),
        ];
        for (url, expected) in rows {
            let chosen = choose(&server, &Url::parse(url).unwrap());
            assert_eq!(chosen.as_ref().map(Url::as_str), expected, "{url}");
        }
    }
}
