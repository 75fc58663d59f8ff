//! Where others reach this server, and the URLs of targets as others reach them: `localhost` means
//! nothing to them.
//!
//! Source of the rules: Prometheus 3.14, `web/api/v1/api.go`, `getGlobalURL`, and
//! `cmd/prometheus/main.go`, `computeExternalURL`.

use reqwest::Url;

/// Names of the host itself.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "::1"];
/// Where Linux says the host's name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// How others reach this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    /// `http` or `https`.
    pub scheme: String,
    /// A name, maybe with a port.
    pub authority: String,
    /// What stands before every path, without a slash at the end.
    pub path: String,
    /// The port that it listens on.
    pub port: u16,
}

impl PublicAddress {
    /// The host's name and this port.
    pub fn of_host(scheme: &str, port: u16) -> Self {
        let name = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
        let host = if name.trim().is_empty() { "localhost" } else { name.trim() };
        let authority = format!("{host}:{port}");
        Self { scheme: scheme.to_owned(), authority, path: String::new(), port }
    }

    /// What `--web.external-url` says: a URL, or a path alone below this address.
    pub fn with_external_url(self, written: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("parse external URL {written:?}: {why}");
        if written.starts_with(['"', '\'']) || written.ends_with(['"', '\'']) {
            return Err(wrong("URL must not begin or end with quotes"));
        }
        if written.starts_with('/') {
            return Ok(Self { path: written.trim_end_matches('/').to_owned(), ..self });
        }
        let url = Url::parse(written).map_err(|error| wrong(&error.to_string()))?;
        let host = url.host_str().filter(|_| ["http", "https"].contains(&url.scheme()));
        let host = host.ok_or_else(|| wrong("write it as http://HOST:PORT/PATH"))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self {
            scheme: url.scheme().to_owned(),
            authority: format!("{host}{port}"),
            path: url.path().trim_end_matches('/').to_owned(),
            ..self
        })
    }

    /// Where this server is reached.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }

    /// `url` with the public name of this host in place of a local one; if it is this server's own,
    /// as others reach it.
    pub(super) fn globalize(&self, url: &str) -> String {
        let Some((scheme, behind)) = url.split_once("://") else { return url.to_owned() };
        let end = behind.find(['/', '?']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        let (host, port) = split(authority);
        if !LOCAL.contains(&host) {
            return url.to_owned();
        }
        if port == Some(&self.port.to_string()) {
            return format!("{}://{}{rest}", self.scheme, self.authority);
        }
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{rest}", split(&self.authority).0)
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

    fn public(scheme: &str, authority: &str) -> PublicAddress {
        let (scheme, authority) = (scheme.to_owned(), authority.to_owned());
        PublicAddress { scheme, authority, path: String::new(), port: 9090 }
    }

    #[test]
    fn local_names_are_replaced() {
        let own = public("https", "h:443");
        let rows = [
            ("http://localhost:9090/metrics", "https://h:443/metrics"),
            ("http://127.0.0.1:8000/metrics?a=b", "http://h:8000/metrics?a=b"),
            ("https://[::1]:8000", "https://h:8000"),
            ("http://localhost/metrics", "http://h/metrics"),
            ("http://localhosts:9090/metrics", "http://localhosts:9090/metrics"),
            ("http://10.0.0.1:9090/metrics", "http://10.0.0.1:9090/metrics"),
            ("http://[fe80::2]:1/", "http://[fe80::2]:1/"),
            ("nothing", "nothing"),
        ];
        for (url, expected) in rows {
            assert_eq!(own.globalize(url), expected);
        }
        let behind_proxy = public("https", "ex.am").globalize("http://localhost:9090/metrics");
        assert_eq!(behind_proxy, "https://ex.am/metrics");
    }

    #[test]
    fn external_urls() {
        let rows = [
            ("http://ex.am", Ok("http://ex.am")),
            ("https://ex.am:8443/a/b/", Ok("https://ex.am:8443/a/b")),
            ("http://[::1]:80/", Ok("http://[::1]")),
            ("/prometheus/", Ok("http://h:9090/prometheus")),
            ("/", Ok("http://h:9090")),
            ("\"http://ex.am\"", Err("must not begin or end with quotes")),
            ("http://x:a:b/", Err("invalid port number")),
            ("ex.am:9090", Err("write it as http://HOST:PORT/PATH")),
            ("ex.am/a", Err("relative URL without a base")),
            ("ftp://ex.am", Err("write it as http://HOST:PORT/PATH")),
        ];
        for (written, expected) in rows {
            let read = public("http", "h:9090").with_external_url(written).map(|own| own.url());
            match expected {
                Ok(url) => assert_eq!(read.as_deref(), Ok(url), "{written}"),
                Err(part) => {
                    let error = read.expect_err(written);
                    assert!(error.contains(part), "{error}");
                }
            }
        }
    }
}
