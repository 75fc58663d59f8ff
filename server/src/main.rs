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
            eprintln!("inferometer: {error:#}");
            ExitCode::FAILURE
        }
    }
}
