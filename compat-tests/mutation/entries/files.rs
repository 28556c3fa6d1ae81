//! Zone text, raw zone files and configurations.

use std::io::Write;
use std::path::Path;

use nomd::conf::survey::survey;
use nomd::conf::{self, Dialect, Manner, Secrets, Wanted, judge};
use nomd::dns::{Class, Name};
use nomd::zone::check::Policy;
use nomd::zone::disk::Host;
use nomd::zone::journal::{self, Journal};
use nomd::zone::load::{self, Loaded};
use nomd::zone::master::Options;
use nomd::zone::message::Strictness;
use nomd::zone::print::{self, Style};
use nomd::zone::raw::{self, Header};
use nomd::zone::{Limits, ZoneVersion};

use super::APEX;

/// What reading a zone may say besides one message for each of its records and lines.
const MAX_MESSAGES: usize = 20_000;
/// Digits in a range of `$GENERATE` that stand for more records than there is time for.
const MAX_RANGE_DIGITS: usize = 4;

/// A master file: what is served can be written in both formats and is the same zone when read again.
pub fn zone_text(bytes: &[u8]) -> bool {
    if generates_too_much(bytes) || names_a_device(bytes) {
        return false;
    }
    let loaded = read_text(&apex(), bytes);
    let most = MAX_MESSAGES + bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(loaded.messages.len() <= most, "{} messages", loaded.messages.len());
    let Some(version) = loaded.version else { return false };
    let from_raw = with_file(&image(&version), |path| raw::read(&Host, path, &apex(), Class::IN, Limits::default()));
    let (from_raw, _) = from_raw.unwrap();
    for style in [Style::Full, Style::Relative] {
        let text = text(&version, style);
        assert_eq!(text, self::text(&from_raw, style));
        let again = read_text(&apex(), &text);
        let reason = again.failure.as_deref().unwrap_or("refused");
        let again = again.version.unwrap_or_else(|| panic!("{reason}: {}", text.escape_ascii()));
        assert_eq!(self::text(&again, style).escape_ascii().to_string(), text.escape_ascii().to_string());
    }
    true
}

fn text(version: &ZoneVersion, style: Style) -> Vec<u8> {
    let mut text = Vec::new();
    print::dump(version, style, &mut text).unwrap();
    text
}

/// A raw zone file: what can be read is the same when written and read again, but for the order of RRsets, which is
/// that of their coming.
pub fn raw(bytes: &[u8]) -> bool {
    let read = |bytes: &[u8]| with_file(bytes, |path| raw::read(&Host, path, &apex(), Class::IN, Limits::default()));
    let Ok((version, _)) = read(bytes) else { return false };
    let (again, _) = read(&image(&version)).unwrap();
    assert_eq!(text(&again, Style::Full), text(&version, Style::Full));
    print::dump(&version, Style::Relative, &mut Vec::new()).unwrap();
    true
}

/// A journal: what can be printed once can be printed again, and is the same.
pub fn journal(bytes: &[u8]) -> bool {
    let read = |path: &Path| {
        let mut text = Vec::new();
        let printed = journal::print::print(&Journal::open(&Host, path).ok()?, true, &mut text);
        printed.ok().map(|()| text)
    };
    with_file(bytes, |path| {
        let first = read(path);
        assert_eq!(read(path), first);
        first.is_some()
    })
}

/// A named.conf: refused with at least one message, and no more messages than there are bytes. What can be used can be
/// surveyed, and what named-checkconf would take prints as a text that prints the same.
pub fn named_conf(bytes: &[u8]) -> bool {
    if names_a_device(bytes) {
        return false;
    }
    with_file(bytes, |path| {
        let outcome = conf::load(path, &Default::default());
        let is_usable = outcome.is_ok();
        let diagnostics = outcome.map_or_else(|diagnostics| diagnostics, |(_, diagnostics)| diagnostics);
        assert_eq!(diagnostics.has_errors(), !is_usable);
        assert!(diagnostics.iter().count() <= bytes.len() + 1, "{} bytes", bytes.len());
        assert!(survey(Path::new(""), path, &Default::default()).is_ok() || !is_usable);
        let printed = canonical(path);
        // named-checkconf leaves out the word, and nomd prints what it prints.
        let is_readable = !bytes.to_ascii_lowercase().windows(5).any(|window| window == b"geoip");
        if let Some(printed) = printed.as_ref().filter(|_| is_readable) {
            let again = with_file(printed.as_bytes(), canonical);
            assert_eq!(again.as_ref(), Some(printed), "{}", bytes.escape_ascii());
        }
        printed.is_some()
    })
}

/// The canonical form of a named.conf that named-checkconf would take.
fn canonical(path: &Path) -> Option<String> {
    let manner = Manner {
        dialect: Dialect::Bind918,
        with_deprecated: true,
        with_plugins: false,
        with_zones: false,
        wanted: Wanted::Canonical(Secrets::Shown),
    };
    let judgement = judge(path, manner);
    (!judgement.diagnostics.has_errors()).then_some(judgement.text)
}

/// Loads a zone from text.
pub(super) fn read_text(apex: &Name, text: &[u8]) -> Loaded {
    let options = Options {
        apex: apex.clone(),
        class: Class::IN,
        check_names: Strictness::Warn,
        check_mx: Strictness::Warn,
        check_ns: Strictness::Warn,
        check_wildcard: true,
        max_zone_ttl_s: None,
    };
    with_file(text, |path| load::load(path, &options, Limits::default(), &Policy::default()))
}

fn image(version: &ZoneVersion) -> Vec<u8> {
    let mut image = Vec::new();
    raw::dump(version, &Header::default(), &mut image).unwrap();
    image
}

fn apex() -> Name {
    APEX.parse().unwrap()
}

/// Calls `read` on a file of these bytes.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path())
}

/// Whether a `$GENERATE` might stand for millions of records.
fn generates_too_much(text: &[u8]) -> bool {
    let is_long = |line: &[u8]| line.split(|byte| !byte.is_ascii_digit()).any(|run| run.len() > MAX_RANGE_DIGITS);
    text.to_ascii_uppercase().windows(9).any(|window| window == b"$GENERATE")
        && text.split(|&b| b == b'\n').any(is_long)
}

/// Whether a file might be included that never ends.
fn names_a_device(text: &[u8]) -> bool {
    let devices = [&b"/dev"[..], b"/proc", b"/sys"];
    devices.iter().any(|device| text.windows(device.len()).any(|window| window == *device))
}
