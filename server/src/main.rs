//! The binary: flags → subcommand → exit code.

use std::process::ExitCode;

use server::cli;
use server::flags::{CheckCommand, Command, Flags, TestCommand};

fn main() -> ExitCode {
    share_heaps();
    let flags = match Flags::parse_from_args(std::env::args()) {
        Ok(flags) => flags,
        Err(error) => error.exit(),
    };
    let done = match flags.command {
        Command::Serve(flags) => cli::serve::run(&flags),
        Command::Demo(flags) => cli::demo::run(&flags),
        Command::Query(command) => cli::query::run(&command),
        Command::Check(CheckCommand::Config(flags)) => cli::check::config(&flags),
        Command::Check(CheckCommand::Rules(flags)) => cli::check_rules::run(&flags),
        Command::Check(CheckCommand::Metrics(flags)) => cli::check_metrics::run(flags.extended),
        Command::Check(CheckCommand::WebConfig { files }) => cli::check_web_config::run(&files),
        Command::Check(CheckCommand::Healthy(flags)) => cli::probe::run(&flags, "/-/healthy"),
        Command::Check(CheckCommand::Ready(flags)) => cli::probe::run(&flags, "/-/ready"),
        Command::Test(TestCommand::Promql { files }) => cli::test::promql(&files),
        Command::Test(TestCommand::Rules(flags)) => cli::test::rules(&flags),
        Command::Packs(flags) => cli::packs::run(&flags),
        Command::Silence(command) => cli::silence::run(&command),
        Command::Tsdb(command) => cli::tsdb::run(&command),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("inferometer: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// Has all threads share two heaps of the C library, instead of eight for each core. What one thread
/// allocates here another one frees (samples come in on one and go to blocks on another), and many
/// heaps keep much of that for themselves; `docs/decisions/0003-heaps.md` has the figures.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library has no safe way to say it")]
fn share_heaps() {
    // SAFETY: takes two numbers, touches the allocator's own state under its own lock, and no other
    // thread has been started.
    let is_set = unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    debug_assert_eq!(is_set, 1, "the C library knows M_ARENA_MAX");
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_heaps() {}

/// The error and what caused it; a cause that is named already is not repeated.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_are_told_once() {
        let error = anyhow!("no such file");
        assert_eq!(
            with_causes(&anyhow!("no such file").context("a.yml: no such file")),
            "a.yml: no such file"
        );
        assert_eq!(with_causes(&error.context("a.yml")), "a.yml: no such file");
    }
}
