//! Which servers are asked for which names: `/etc/resolv.conf`.
//!
//! Three outcomes, as in Prometheus. A name of the search list exists: its records, perhaps none of
//! the wanted kind. None of them exists, and a server said so of each: no records. Else nobody knows:
//! an error, and what was known stays.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, Record, RecordType};

use super::ask::ask;

/// The port of DNS servers.
const PORT: u16 = 53;
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Servers, and how names are completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolver {
    pub(super) servers: Vec<SocketAddr>,
    pub(super) search: Vec<String>,
    /// Names with at least as many dots are tried as they are first.
    pub(super) dots: usize,
}

impl Resolver {
    /// As the file says.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path)
            .map_err(|error| format!("could not load {}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(bytes.get(..FILE_BYTES_MAX).unwrap_or(&bytes));
        let resolver = Self::parse(&text);
        match resolver.servers.is_empty() {
            true => Err(format!("{} names no server", path.display())),
            false => Ok(resolver),
        }
    }

    fn parse(text: &str) -> Self {
        let mut resolver = Self { servers: Vec::new(), search: Vec::new(), dots: 1 };
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    resolver.servers.extend(words.next().and_then(server));
                }
                Some("domain") => {
                    resolver.search = words.next().map(str::to_owned).into_iter().collect();
                }
                Some("search") => resolver.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    let dots = words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok());
                    dots.for_each(|dots: usize| resolver.dots = dots.min(15));
                }
                _ => {}
            }
        }
        resolver
    }

    /// The answer's records for `name`.
    pub(super) async fn look_up(
        &self,
        name: &str,
        kind: RecordType,
    ) -> Result<Vec<Record>, String> {
        let mut failed = Vec::new();
        for full in self.names(name) {
            let parsed = Name::from_ascii(&full).map_err(|error| format!("{full}: {error}"))?;
            match self.ask_any(&parsed, kind).await {
                Ok(Some(records)) => return Ok(records),
                Ok(None) => {}
                Err(why) => failed.push(format!("{full} ({why})")),
            }
        }
        match failed.is_empty() {
            true => Ok(Vec::new()),
            false => Err(format!("no server could answer for {}", failed.join(", "))),
        }
    }

    /// The first answer that is one; `None`: there is no such name.
    async fn ask_any(&self, name: &Name, kind: RecordType) -> Result<Option<Vec<Record>>, String> {
        let mut failed = Vec::new();
        for server in &self.servers {
            match ask(*server, name, kind).await {
                Ok(answer) => match answer.metadata.response_code {
                    ResponseCode::NoError => return Ok(Some(answer.answers)),
                    ResponseCode::NXDomain => return Ok(None),
                    code => failed.push(format!("{server}: {code}")),
                },
                Err(why) => failed.push(format!("{server}: {why}")),
            }
        }
        Err(failed.join(", "))
    }

    /// The full names that `name` may mean, each ending with a dot.
    fn names(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let own = format!("{name}.");
        let found =
            self.search.iter().map(|domain| format!("{name}.{}.", domain.trim_matches('.')));
        let mut names: Vec<String> = found.collect();
        let has_dots = name.matches('.').count() >= self.dots;
        names.insert(if has_dots { 0 } else { names.len() }, own);
        names
    }
}

/// The address behind `nameserver`; a zone (`%eth0`) is not known here and left out.
fn server(text: &str) -> Option<SocketAddr> {
    let address: IpAddr = text.split('%').next()?.parse().ok()?;
    Some(SocketAddr::new(address, PORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let text = "# a comment\nnameserver 10.0.0.10\nnameserver fe80::1%eth0\nnameserver x\n\
                    search ns.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:1\n";
        let resolver = Resolver::parse(text);
        let servers: Vec<String> = resolver.servers.iter().map(SocketAddr::to_string).collect();
        assert_eq!(servers, ["10.0.0.10:53", "[fe80::1]:53"]);
        assert_eq!((resolver.search.len(), resolver.dots), (2, 5));
        assert_eq!(Resolver::parse("domain a.b").search, ["a.b"]);
        assert!(Resolver::read(Path::new("/nowhere")).unwrap_err().starts_with("could not load"));
    }

    #[test]
    fn names_are_completed() {
        let rows: [(&str, usize, &[&str]); 4] = [
            ("a.", 1, &["a."]),
            ("a", 1, &["a.x.y.", "a.z.", "a."]),
            ("a.b", 1, &["a.b.", "a.b.x.y.", "a.b.z."]),
            ("a.b", 5, &["a.b.x.y.", "a.b.z.", "a.b."]),
        ];
        for (name, dots, expected) in rows {
            let search = vec!["x.y".to_owned(), "z.".to_owned()];
            let resolver = Resolver { servers: vec![], search, dots };
            assert_eq!(resolver.names(name), expected, "{name} {dots}");
        }
    }
}
