//! `nomd`: chooses the program by its name or first word, and gives its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use nomd::cli::{self, Program, named, rndc};
use nomd::server::start::StartOptions;

fn main() -> ExitCode {
    match cli::choose(std::env::args_os()) {
        Some((Program::Named, words)) => run_named(&words),
        Some((Program::Rndc, words)) => ExitCode::from(rndc::run(&words)),
        Some((Program::Help, _)) => {
            println!("{}", cli::HELP);
            ExitCode::SUCCESS
        }
        Some((Program::Try, _)) => missing("nomd try"),
        None => {
            eprintln!("{}", cli::HELP);
            ExitCode::FAILURE
        }
    }
}

fn run_named(words: &[OsString]) -> ExitCode {
    match named::parse(words) {
        Ok(named::Request::Start(options)) => serve(&options),
        Ok(named::Request::Print(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn serve(_: &StartOptions) -> ExitCode {
    missing("the server")
}

/// For what the binary does not have yet.
fn missing(what: &str) -> ExitCode {
    eprintln!("nomd: {what} is not part of this build");
    ExitCode::FAILURE
}
