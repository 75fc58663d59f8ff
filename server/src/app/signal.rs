//! What asks the process to end.

use tracing::error;

/// Ready at SIGINT (Ctrl-C) or SIGTERM.
pub async fn signal() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(error) => {
                error!("SIGTERM cannot be waited for: {error}");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
