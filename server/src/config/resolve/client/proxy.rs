//! What stands in between.

use scraper::job::{Environment, Proxy, ProxyServer, Secret};

use super::super::super::error::Problem;
use super::super::super::raw::{ProxyFields, given, or_default, pairs};
use super::super::value;

/// What proxies may speak.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// Decides the proxy.
pub(super) fn proxy(raw: &ProxyFields) -> Result<Proxy, Problem> {
    let url = given(&raw.proxy_url).filter(|(url, _)| !url.0.is_empty());
    let from_environment = or_default(&raw.proxy_from_environment, false);
    let no_proxy = value::text(&raw.no_proxy);
    let problem = |place, what: &str, cure: &str| Err(Problem::new(place, what, cure));
    if !pairs(&raw.proxy_connect_header).is_empty() && url.is_none() && !from_environment {
        let what = "if proxy_connect_header is configured, proxy_url or proxy_from_environment \
                    must also be configured";
        return problem(value::place(&raw.proxy_connect_header), what, "add one of them");
    }
    if let Some((_, place)) = url.filter(|_| from_environment) {
        let what = "if proxy_from_environment is configured, proxy_url must not be configured";
        return problem(place, what, "delete it");
    }
    if let Some((_, place)) = no_proxy {
        if from_environment {
            let what = "if proxy_from_environment is configured, no_proxy must not be configured";
            return problem(place, what, "delete it, and set NO_PROXY");
        }
        if url.is_none() {
            let what = "if no_proxy is configured, proxy_url must also be configured";
            return problem(place, what, "add `proxy_url`");
        }
    }
    let server = match url {
        Some((url, place)) => {
            let scheme = url.0.split_once("://").map_or("", |(scheme, _)| scheme);
            if !SCHEMES.contains(&scheme) {
                let cure = format!("begin it with one of {}, and ://", SCHEMES.join(", "));
                return Err(Problem::new(place, "proxy_url has no scheme that is known", cure));
            }
            let no_proxy = no_proxy.map(|(hosts, _)| hosts.to_owned()).unwrap_or_default();
            ProxyServer::Url { url: url.0.clone(), no_proxy }
        }
        None if from_environment => ProxyServer::Environment(environment()),
        None => ProxyServer::Direct,
    };
    let headers = pairs(&raw.proxy_connect_header).iter().map(|(name, values)| {
        let values = values.value.iter().flatten();
        let secret = |at: &Option<super::Hidden>| at.as_ref().map(|value| value.0.clone());
        let values = values.map(|at| Secret::Inline(secret(&at.value).unwrap_or_default()));
        (name.value.clone(), values.collect())
    });
    Ok(Proxy { server, connect_headers: headers.collect() })
}

/// What the environment says, capital names first.
fn environment() -> Environment {
    let read = |name: &str| {
        let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        set(name).or_else(|| set(&name.to_lowercase())).unwrap_or_default()
    };
    Environment { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), no_proxy: read("NO_PROXY") }
}
