//! `nomd sync`: how the secondary zones of the running server stand, the worst first.
//!
//! The server is asked over the control channel, by the command `standing`, which rndc does not have; its rows are read
//! here and shown as a table or as JSON. The exit codes are those of monitoring plug-ins.

mod json;
mod rows;
mod table;

use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;

use self::rows::Standing;
use super::{output, rndc};

/// Every copy is current or on its way to be.
const FINE: u8 = 0;
/// A copy is behind.
const BEHIND: u8 = 1;
/// Something is wrong with a copy.
const TROUBLE: u8 = 2;
/// The server could not be asked.
const UNKNOWN: u8 = 3;

/// Runs the command: prints to standard output, and gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let flags = match Flags::try_parse_from(words) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("nomd sync: {}\n{USAGE}", error.kind());
            return UNKNOWN;
        }
    };
    if flags.help {
        return output::answer("nomd sync", format_args!("{HELP}\n"), FINE, UNKNOWN);
    }
    match ask(&flags).and_then(|rows| show(&rows, &flags)) {
        Ok((text, code)) => output::answer("nomd sync", text, code, UNKNOWN),
        Err(fault) => {
            eprintln!("nomd sync: {fault}");
            UNKNOWN
        }
    }
}

/// What the server tells: of so many zones, or of all, in parts.
fn ask(flags: &Flags) -> Result<String, String> {
    if let Some(number) = flags.number {
        return rndc::ask(&request(flags, &[&number.to_string()]));
    }
    let (mut rows, mut place) = (String::new(), "0".to_owned());
    loop {
        let part = rndc::ask(&request(flags, &["all", &place]))?;
        let (part, next) = rows::split_part(&part);
        rows.push_str(part);
        match next {
            Some(next) => place = next.to_owned(),
            None => return Ok(rows),
        }
    }
}

/// What the server told as it is shown, and the exit code.
fn show(rows: &str, flags: &Flags) -> Result<(String, u8), String> {
    let standing = Standing::read(rows).ok_or(ODD)?;
    let text = if flags.json { standing.json().to_string() } else { standing.table(now_s(), flags.verbose) };
    Ok((text, standing.exit_code()))
}

/// The flags of `nomd sync`.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(long)]
    json: bool,
    #[arg(short = 'v')]
    verbose: bool,
    #[arg(short = 'n')]
    number: Option<u32>,
    #[arg(short = 'c')]
    config: Option<OsString>,
    #[arg(short = 'k')]
    key_file: Option<OsString>,
    #[arg(short = 's')]
    server: Option<OsString>,
    #[arg(short = 'p')]
    port: Option<OsString>,
    #[arg(short = 'y')]
    key: Option<OsString>,
    #[arg(short = 'h', long)]
    help: bool,
}

/// The words for rndc.
fn request(flags: &Flags, what: &[&str]) -> Vec<OsString> {
    let given = [
        ("-c", &flags.config),
        ("-k", &flags.key_file),
        ("-s", &flags.server),
        ("-p", &flags.port),
        ("-y", &flags.key),
    ];
    let given = given.into_iter().filter_map(|(flag, value)| Some([OsString::from(flag), value.clone()?]));
    given.flatten().chain(["standing"].iter().chain(what).map(OsString::from)).collect()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

const ODD: &str = "the server's reply cannot be read; is it another version of nomd?";

const USAGE: &str =
    "usage: nomd sync [--json | -v] [-n zones] [-c config] [-k key-file] [-s server] [-p port] [-y key]";

const HELP: &str = "\
usage: nomd sync [--json | -v] [-n zones] [-c config] [-k key-file] [-s server] [-p port] [-y key]

Tells how the secondary zones of the running server stand, the worst first: all, or with -n so many; -v shows the
primaries of all of them, not only of those that are not current. The other flags are those of rndc. Exit code 0: every
zone is current or on its way to be; 1: a zone is behind a primary; 2: a zone is expired, past its expiry, missing,
refused, held back or out of reach, or its primaries went back; 3: the server could not be asked. See nomd-sync(1).";

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "\
total\trefused\t1\ntotal\tcurrent\t2
zone\trefused\texample.com\tIN\t_default\t5\t900\t1060\t605700\t-\t-\t-\t-
primary\t192.0.2.1:53\t5\t990\t900\tREFUSED\t990\tREFUSED\t-\t-\t-
primary\t192.0.2.2:53\t-\t-\t-\t-\t-\t-\t-\t-\t-
zone\tcurrent\texample.org\tIN\tinside\t7\t970\t4570\t605770\t192.0.2.1:53\t970\t1234\t12
primary\t192.0.2.1:53\t7\t970\t970\t-\t600\ttimed out\t970\t1234\t12
";

    #[test]
    fn the_table_tells_what_is_wrong() {
        let standing = Standing::read(ROWS).unwrap();
        let expected = "\
3 secondary zones: 1 refused, 2 current
refused            example.com           serial 5, confirmed 1m40s ago, next check in 1m, expires in 6d23h
                   192.0.2.1:53: serial 5, asked 10s ago, answered 1m40s ago: REFUSED
                   192.0.2.2:53: not asked yet
current            example.org (inside)  serial 7, confirmed 30s ago, next check in 59m30s, expires in 6d23h
and 1 more that are no worse; without -n all are shown
";
        assert_eq!(standing.table(1000, false), expected);
    }

    #[test]
    fn a_verbose_table_tells_of_the_primaries_of_current_zones() {
        let table = Standing::read(ROWS).unwrap().table(1000, true);
        let expected = "192.0.2.1:53: serial 7, asked 30s ago, last transfer 30s ago (1234 bytes in 12 ms), \
            last error 6m40s ago: timed out\n";
        assert!(table.contains(expected), "{table}");
    }

    #[test]
    fn the_worst_state_gives_the_exit_code() {
        let code = |rows: &str| Standing::read(rows).unwrap().exit_code();
        assert_eq!(code(""), FINE);
        assert_eq!(code("total\ttransferring\t1\ntotal\tcurrent\t2\n"), FINE);
        assert_eq!(code("total\tbehind\t1\n"), BEHIND);
        assert_eq!(code(ROWS), TROUBLE);
    }

    #[test]
    fn rows_that_are_not_known_are_no_standing() {
        for rows in ["what\tis this", "total\tgood\t1", "zone\tcurrent\ta", "primary\t-", "x"] {
            assert!(Standing::read(rows).is_none(), "{rows}");
        }
    }

    #[test]
    fn a_zone_and_a_view_may_have_the_name_of_what_is_missing() {
        let rows = "total\tcurrent\t1\nzone\tcurrent\t-\tIN\t-\t5\t-\t-\t-\t-\t-\t-\t-\n";
        let table = Standing::read(rows).unwrap().table(1000, false);
        assert!(table.contains("current            - (-)  serial 5, confirmed never"), "{table}");
    }

    #[test]
    fn parts_are_put_together_and_the_worst_zone_comes_first() {
        let (first, last) = ROWS.split_at(ROWS.find("zone\tcurrent").unwrap());
        assert_eq!(rows::split_part(ROWS), (ROWS, None));
        assert_eq!(rows::split_part(&format!("{first}more\t7\n")), (first, Some("7")));
        assert_eq!(rows::split_part("more\t9\n"), ("", Some("9")));
        let turned = [last, first].concat();
        let states = |rows| Standing::read(rows).unwrap().zones.iter().map(|zone| zone.state).collect::<Vec<_>>();
        assert_eq!(states(&turned), states(ROWS));
    }

    #[test]
    fn json_leaves_out_what_is_not_there() {
        let text = Standing::read(ROWS).unwrap().json().to_string();
        assert!(text.contains("\"trouble\": \"REFUSED\"") && !text.contains("\"-\""), "{text}");
        assert_eq!(text.matches("\"transfer\": {").count(), 2);
        assert_eq!(text.matches("\"last_error\": {").count(), 2);
    }
}
