//! Where the server is reached, and by whom.

use tokio::net::TcpListener;

use crate::http::PublicAddress;
use crate::web::WebOptions;

/// How others reach us.
pub(super) fn public(
    web: &WebOptions,
    listeners: &[TcpListener],
    scheme: &str,
) -> anyhow::Result<PublicAddress> {
    let first = listeners.first().and_then(|listener| listener.local_addr().ok());
    let own = PublicAddress::of_host(scheme, first.map_or(0, |address| address.port()));
    let Some(written) = &web.external_url else { return Ok(own) };
    own.with_external_url(written).map_err(anyhow::Error::msg)
}

/// Whether others than this host can reach it.
pub(super) fn is_reachable(listener: &TcpListener) -> bool {
    listener.local_addr().is_ok_and(|address| !address.ip().is_loopback())
}
