//! `inferometer check web-config FILE…`: whether files of `--web.config.file` can be used, with
//! promtool's output and exit codes.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::web::Access;

/// Checks each file with those that it names; exit code 1 if one is wrong.
pub fn run(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    // Fails only if a provider is chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut is_wrong = false;
    for file in files {
        let name = file.display();
        match Access::load(Some(file)) {
            Ok(_) => eprintln!("{name} SUCCESS"),
            Err(error) => {
                eprintln!("{name} FAILED: {error}");
                is_wrong = true;
            }
        }
    }
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
