//! The binary: flags → subcommand → exit code.

use std::process::ExitCode;

use server::cli;
use server::flags::{Command, Flags, TestCommand};

fn main() -> ExitCode {
    let flags = match Flags::parse_from_args(std::env::args()) {
        Ok(flags) => flags,
        Err(error) => error.exit(),
    };
    let done = match flags.command {
        Command::Serve(flags) => cli::serve::run(&flags),
        Command::Demo(flags) => cli::demo::run(&flags),
        Command::Test(TestCommand::Promql { files }) => cli::test::promql(&files),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("inferometer: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

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
