//! The URL of a target as others reach it: `localhost` means nothing to them.
//!
//! Source of the rules: Prometheus 3.14, `web/api/v1/api.go`, `getGlobalURL`.

/// Names of the host itself.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "::1"];
/// Where Linux says the host's name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// How others reach this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    /// `http` or `https`.
    pub scheme: String,
    /// A name without a port.
    pub host: String,
    /// The port that it listens on.
    pub port: u16,
}

impl PublicAddress {
    /// The host's name and this port.
    pub fn of_host(port: u16) -> Self {
        let name = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
        let host = if name.trim().is_empty() { "localhost" } else { name.trim() };
        Self { scheme: "http".to_owned(), host: host.to_owned(), port }
    }

    /// Where this server is reached.
    pub fn url(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }

    /// `url` with the public name of this host in place of a local one.
    pub(super) fn globalize(&self, url: &str) -> String {
        let Some((scheme, behind)) = url.split_once("://") else { return url.to_owned() };
        let end = behind.find(['/', '?']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        let (host, port) = split(authority);
        if !LOCAL.contains(&host) {
            return url.to_owned();
        }
        let is_own = port == Some(&self.port.to_string());
        let scheme = if is_own { &self.scheme } else { scheme };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{rest}", self.host)
    }
}

/// Host without brackets, and port.
fn split(authority: &str) -> (&str, Option<&str>) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_replaced() {
        let public = PublicAddress { scheme: "https".into(), host: "h".into(), port: 9090 };
        let rows = [
            ("http://localhost:9090/metrics", "https://h:9090/metrics"),
            ("http://127.0.0.1:8000/metrics?a=b", "http://h:8000/metrics?a=b"),
            ("https://[::1]:8000", "https://h:8000"),
            ("http://localhost/metrics", "http://h/metrics"),
            ("http://localhosts:9090/metrics", "http://localhosts:9090/metrics"),
            ("http://10.0.0.1:9090/metrics", "http://10.0.0.1:9090/metrics"),
            ("http://[fe80::2]:1/", "http://[fe80::2]:1/"),
            ("nothing", "nothing"),
        ];
        for (url, expected) in rows {
            assert_eq!(public.globalize(url), expected);
        }
    }
}
