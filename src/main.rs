//! `nomd`: chooses the program by its name or first word, and gives its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use nomd::cli::{
    self, Program, checkconf, checkzone, confgen, journalprint, keygen, named, plan, report, rndc, sync, trial,
};
use nomd::server;

fn main() -> ExitCode {
    match cli::choose(std::env::args_os()) {
        Some((Program::Named, words)) => run_named(&words),
        Some((Program::Rndc, words)) => ExitCode::from(rndc::run(&words)),
        Some((Program::CheckZone(tool), words)) => ExitCode::from(checkzone::run(tool, &words)),
        Some((Program::JournalPrint, words)) => ExitCode::from(journalprint::run(&words)),
        Some((Program::RndcConfgen, words)) => ExitCode::from(confgen::run(&words)),
        Some((Program::Keygen(tool), words)) => ExitCode::from(keygen::run(tool, &words)),
        Some((Program::Report, words)) => ExitCode::from(report::run(&words)),
        Some((Program::Plan, words)) => ExitCode::from(plan::run(&words)),
        Some((Program::Sync, words)) => ExitCode::from(sync::run(&words)),
        Some((Program::CheckConf, words)) => ExitCode::from(checkconf::run(&words)),
        Some((Program::Help, _)) => ExitCode::from(cli::answer("nomd", format_args!("{}\n", cli::HELP), 0, 1)),
        Some((Program::Try, _)) => trial::run(),
        None => {
            eprintln!("{}", cli::HELP);
            ExitCode::FAILURE
        }
    }
}

fn run_named(words: &[OsString]) -> ExitCode {
    match named::parse(words) {
        Ok(named::Request::Start(options)) => server::start::run(&options),
        Ok(named::Request::Print(text)) => ExitCode::from(cli::answer("named", format_args!("{text}\n"), 0, 1)),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
