//! Serving: from listeners to the router of `http`, with everything that stands between.
//!
//! 1. `listener` binds addresses; `server` accepts on them and answers HTTP/1.1, through TLS also
//!    HTTP/2.
//! 2. `connections` counts connections: never more than `--web.max-connections` are open, and one
//!    that is still gives its place to one that comes.
//! 3. `gate` is what each request passes first: the rate limit, who asks (`password`, `token`), the
//!    route prefix. Then it is the router's.
//! 4. `access` holds what `--web.config.file` says and reads it again when it changes; `tls`,
//!    `client_cert` and `alt_name` make rustls's configuration of it.
//! 5. `systemd` tells the service manager how we are.
//!
//! Invariants: nothing listens that no flag names. What a client may make us hold is bounded: open
//! connections, the bytes of a request's head, the time that head and body may take, and how many
//! passwords are compared at once (one).

mod access;
mod alt_name;
mod bucket;
mod client_cert;
mod connections;
mod gate;
mod listener;
pub(crate) mod names;
mod password;
mod prefix;
mod server;
mod slow_body;
pub mod systemd;
mod tls;
mod token;
mod tracked;

use std::path::PathBuf;
use std::time::Duration;

pub use access::Access;
pub use connections::Connections;
pub use gate::Gate;
pub use listener::listen;
pub use prefix::Prefix;
pub use server::Server;

/// How we serve.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// The file of `--web.config.file`.
    pub config_file: Option<PathBuf>,
    /// How others reach us, as it was written; `None`: by the host's name and the first port.
    pub external_url: Option<String>,
    /// What stands before every path, as it was written; `None`: the external URL's path.
    pub route_prefix: Option<String>,
    /// How many connections are open at once.
    pub connections_max: usize,
    /// How long a request may take to come, and how long a connection may be unused.
    pub read_timeout: Duration,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self {
            config_file: None,
            external_url: None,
            route_prefix: None,
            connections_max: 512,
            read_timeout: Duration::from_secs(300),
        }
    }
}
