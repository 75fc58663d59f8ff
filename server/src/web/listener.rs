//! Binding the addresses of `--web.listen-address`.

use anyhow::Context;
use tokio::net::TcpListener;

/// Binds the address; `:9090` means all interfaces.
pub async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let full = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.into() };
    TcpListener::bind(&full).await.with_context(|| {
        let (host, port) = full.rsplit_once(':').unwrap_or((&full, "9090"));
        let other = port.parse::<u16>().unwrap_or(9090).wrapping_add(1);
        format!(
            "cannot listen on {full}; if another program has the port, choose another one with \
             --web.listen-address={host}:{other}"
        )
    })
}
