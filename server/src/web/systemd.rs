//! Telling the service manager how we are (`sd_notify(3)`, for `Type=notify` units).
//!
//! A datagram to the socket that `NOTIFY_SOCKET` names; without one, nothing. With `WatchdogSec`
//! set it is told twice in each such time that we are alive.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::warn;

/// The service manager, if there is one.
pub struct Manager {
    to: Option<(UnixDatagram, SocketAddr)>,
}

impl Manager {
    /// The one that the environment names.
    pub fn from_env() -> Self {
        let name = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let Some(name) = name else { return Self { to: None } };
        let name = name.to_string_lossy();
        let address = match name.strip_prefix('@') {
            Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
            None => SocketAddr::from_pathname(&*name),
        };
        let to = address.and_then(|address| Ok((socket()?, address)));
        Self { to: to.inspect_err(|error| warn!("NOTIFY_SOCKET {name}: {error}")).ok() }
    }

    /// Says it, for instance `READY=1`.
    pub fn say(&self, what: &str) {
        if let Some((socket, address)) = &self.to
            && let Err(error) = socket.send_to_addr(what.as_bytes(), address)
        {
            warn!("the service manager was not told {what}: {error}");
        }
    }

    /// Says that we are alive, again and again, if that is wanted.
    pub async fn watchdog(self) {
        let usec = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse::<u64>().ok());
        let Some(usec) = usec.filter(|usec| *usec > 0 && self.to.is_some()) else { return };
        let mut ticks = tokio::time::interval(Duration::from_micros((usec / 2).max(1)));
        loop {
            ticks.tick().await;
            self.say("WATCHDOG=1");
        }
    }
}

/// One that never waits: who does not listen is not told.
fn socket() -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
