//! Configurations that nobody writes by hand: each ends in a verdict, soon and without taking the host's memory.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Loads a named.conf that stands in a folder of its own beside these other files.
fn load_beside(text: &str, others: &[(&str, &str)]) -> Result<(Config, Diagnostics), Diagnostics> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in others {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let main = folder.path().join("named.conf");
    fs::write(&main, text.replace("DIR", folder.path().to_str().unwrap())).unwrap();
    load(&main, &Tolerance::default())
}

fn fault_of(text: &str, others: &[(&str, &str)]) -> String {
    load_beside(text, others).unwrap_err().to_string()
}

/// What an include of `path` is refused for.
fn refusal(path: &str) -> String {
    fault_of(&format!("include \"{path}\";"), &[])
}

#[test]
fn files_that_include_each_other_are_a_fault() {
    let there = "options { directory \"DIR\"; }; include \"a\";";
    let said = fault_of(there, &[("a", "include \"b\";"), ("b", "include \"a\";")]);
    assert!(said.contains("too many open files"), "{said}");
}

/// Two includes in each of so many files would be read 2^40 times.
#[test]
fn includes_that_double_come_to_an_end() {
    let text = |level: usize| format!("include \"f{0}\"; include \"f{0}\";", level + 1);
    let files: Vec<(String, String)> = (0..40).map(|level| (format!("f{level}"), text(level))).collect();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("f40"), "").unwrap();
    let main = folder.path().join("named.conf");
    fs::write(&main, format!("options {{ directory {:?}; }}; include \"f0\";", folder.path())).unwrap();
    let said = load(&main, &Tolerance::default()).unwrap_err().to_string();
    assert!(said.contains("too many open files"), "{said}");
}

/// Files of one pattern lie beside each other, not within each other.
#[test]
fn a_pattern_may_name_many_files() {
    let files: Vec<[String; 2]> = (0..200).map(|at| [format!("{at}.inc"), format!("acl a{at} {{ any; }};")]).collect();
    let others: Vec<(&str, &str)> = files.iter().map(|[name, text]| (name.as_str(), text.as_str())).collect();
    let outcome = load_beside("include \"DIR/*.inc\";", &others);
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

#[test]
fn directories_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().display();
    assert_eq!(refusal(&shown.to_string()), format!("{shown}:1: not a file \n"));
    assert_eq!(
        load(folder.path(), &Tolerance::default()).unwrap_err().to_string(),
        format!("{shown}:1: not a file \n")
    );
}

#[test]
fn pipes_and_sockets_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [pipe, socket] {
        let said = refusal(path.to_str().unwrap());
        assert!(said.ends_with(": invalid file\n"), "{said}");
    }
}

#[test]
fn devices_without_end_are_not_read_to_their_end() {
    let said = refusal("/dev/zero");
    assert!(said.contains("open: /dev/zero: "), "{said}");
    assert!(load_beside("include \"/dev/null\";", &[]).is_ok());
}

#[test]
fn unreadable_files_are_said() {
    assert!(refusal("/nonexistent/file").contains("file not found"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if fs::read(&path).is_err() {
        assert!(refusal(path.to_str().unwrap()).contains("permission denied"));
    }
}

#[test]
fn deep_nesting_is_a_fault() {
    for (open, close) in [("{ ", "}; "), ("!{ ", "}; ")] {
        for depth in [600, 100_000] {
            let text = format!("acl a {{ {}any; {}}};", open.repeat(depth), close.repeat(depth));
            assert!(bad(&text).contains("nested too deeply"), "{depth}");
        }
    }
    let blocks = format!("view v {{ {} }};", "zone z { ".repeat(100_000));
    assert!(bad(&blocks).starts_with("t.conf:1: "));
    let unknown = format!("foo {}{};", "{ ".repeat(1_000_000), "} ".repeat(1_000_000));
    assert_eq!(bad(&unknown), "t.conf:1: unknown option 'foo'\n");
    let lists_in_blocks = format!("view v {{ zone z {{ allow-query {{ {}", "!{ key k; ".repeat(100_000));
    assert!(bad(&lists_in_blocks).contains("nested too deeply"));
}

/// named takes any depth that its stack does; so many levels are enough, and fit the smallest stack.
#[test]
fn nesting_that_is_not_too_deep_is_sound() {
    let text = format!("options {{ allow-query {{ {}any; {}}}; }};", "!{ !10.0.0.1; ".repeat(500), "}; ".repeat(500));
    good(&text);
}

/// Statements `word NAME { ELEMENT; };`, each of which names the one before as `element` says.
fn chain(word: &str, first: &str, element: impl Fn(String) -> String, length: usize) -> String {
    let mut text = format!("{word} n0 {{ {first}; }};\n");
    for at in 1..length {
        writeln!(text, "{word} n{at} {{ {}; }};", element(format!("n{}", at - 1))).unwrap();
    }
    text
}

#[test]
fn long_chains_of_acls_are_a_fault() {
    let chain = |inner: &dyn Fn(String) -> String, length: usize| {
        let acls = chain("acl", "any", inner, length);
        let user = format!("allow-query {{ n{}; }};", length - 1);
        [format!("options {{ {user} }};\n{acls}"), format!("{acls}options {{ {user} }};\n")]
    };
    let deep = |name: String| format!("{}{name}; {}", "{ ".repeat(400), "}; ".repeat(399) + "}");
    chain(&|name| name, 500).iter().for_each(|text| drop(good(text)));
    for text in [chain(&|name| name, 20_000), chain(&deep, 50)].concat() {
        assert!(bad(&text).ends_with("address match list is too large or nested too deeply\n"));
    }
}

#[test]
fn acls_that_double_are_a_fault() {
    let twice = |name: String| format!("!{name}; {name}");
    good(&format!("{}options {{ allow-query {{ n15; }}; }};", chain("acl", "key k", twice, 16)));
    let said = bad(&format!("{}options {{ allow-query {{ n63; }}; }};", chain("acl", "key k", twice, 64)));
    assert!(said.ends_with("address match list is too large or nested too deeply\n"), "{said}");
}

#[test]
fn long_chains_of_server_lists_are_a_fault() {
    let chain = |length: usize| {
        let lists = chain("primaries", "10.0.0.1", |name| format!("{name}; {name}"), length);
        format!("{lists}zone z {{ type secondary; primaries {{ n{}; }}; }};", length - 1)
    };
    good(&chain(900));
    assert!(bad(&chain(20_000)).contains("is nested too deeply"));
}

/// named finds one fault for each pair.
#[test]
fn many_acls_of_one_name_do_not_make_as_many_faults_as_pairs() {
    let said = conf(&"acl a { any; };\n".repeat(20_000)).unwrap_err();
    assert!(said.iter().count() < 150_000);
}

#[test]
fn huge_numbers_are_out_of_range() {
    let digits = "9".repeat(1_000_000);
    assert_eq!(bad(&format!("options {{ tcp-clients {digits}; }};")), "t.conf:1: out of range \n");
    for statement in ["max-cache-ttl", "lame-ttl", "max-zone-ttl"] {
        for text in [format!("{digits}w"), format!("P{digits}Y"), digits.clone()] {
            assert!(bad(&format!("options {{ {statement} {text}; }};")).contains("expected ISO 8601 duration"));
        }
    }
    assert!(conf(&format!("options {{ max-cache-size {digits}%; }};")).is_ok());
    assert!(bad(&format!("acl a {{ 10.0.0.0/{digits}; }};")).contains("out of range"));
    assert!(bad(&format!("primaries p {{ 10.0.0.1 port {digits}; }};")).contains("out of range"));
}

#[test]
fn giant_tokens_are_shortened_in_messages() {
    let giant = "w".repeat(8 << 20);
    for text in [
        format!("{giant};"),
        format!("options {{ {giant}; }};"),
        format!("options {{ recursion {giant}; }};"),
        format!("options {{ tcp-clients \"{giant}\"; }};"),
        format!("options {{ recursion no {giant}; }};"),
    ] {
        assert!(bad(&text).len() < 200);
    }
    good(&format!("options {{ version \"{giant}\"; }}; /* {giant} */ // {giant}"));
}

#[test]
fn a_million_semicolons_are_one_fault() {
    let semicolons = ";".repeat(1_000_000);
    assert_eq!(bad(&semicolons), "t.conf:1: syntax error near ';'\n");
    assert_eq!(bad(&format!("options {{ {semicolons} }};")), "t.conf:1: '}' expected near ';'\n");
    let negations = format!("acl a {{ {}any; }};", "!".repeat(1_000_000));
    assert!(conf(&negations).is_ok());
}

/// Each missing semicolon is a message, so there may be as many as there are elements, and no more.
#[test]
fn messages_do_not_outgrow_the_text() {
    let mut text = String::from("acl a { ");
    (0..10_000).for_each(|at| write!(text, "10.{}.{}.1 ", at / 256, at % 256).unwrap());
    text.push_str("; };");
    let said = conf(&text).unwrap_err();
    assert_eq!(said.iter().count(), 9_999);
}
