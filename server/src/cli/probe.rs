//! `inferometer check healthy` and `check ready`, with promtool's output and exit codes.

use std::process::ExitCode;
use std::time::Duration;

use super::client;
use crate::flags::ProbeFlags;

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks for `path`; exit code 1 if the answer is not 200.
pub fn run(flags: &ProbeFlags, path: &str) -> anyhow::Result<ExitCode> {
    let url = client::address(&flags.url, path);
    let asked = client::get(&flags.client, &url, &[], TIMEOUT);
    match super::runtime()?.block_on(asked) {
        Ok(answer) if answer.status == 200 => {
            eprintln!("  SUCCESS:  {}", String::from_utf8_lossy(&answer.body));
            return Ok(ExitCode::SUCCESS);
        }
        Ok(answer) => {
            let server = client::address(&flags.url, "");
            eprintln!("check failed: URL={server}, status={}", answer.status);
        }
        Err(error) => eprintln!("{error:#}"),
    }
    Ok(ExitCode::FAILURE)
}
