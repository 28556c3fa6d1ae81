//! Runs the conversation files.

use std::fs;

use super::*;

/// A request from its line: `> NAME TYPE [CLASS] [+flag]…`.
fn read_question(line: &str) -> (Vec<u8>, Transport) {
    let (flags, words): (Vec<&str>, Vec<&str>) = line.split_whitespace().partition(|word| word.starts_with('+'));
    let has = |flag| flags.contains(&flag);
    let (name, rtype) = (words[0], words[1].parse().unwrap());
    let class = words.get(2).map_or(Class::IN, |class| class.parse().unwrap());
    let size = if has("+small") { 512 } else { 1232 };
    let opt =
        (has("+edns") || has("+do") || has("+small")).then_some((size, if has("+do") { 0x8000 } else { 0 }, &[][..]));
    let transport = if has("+tcp") { Transport::Tcp } else { Transport::Udp };
    (request(name, rtype, class, if has("+rd") { 0x0100 } else { 0 }, opt), transport)
}

#[test]
fn conversations_go_as_written() {
    let world = world();
    let mut files: Vec<PathBuf> = fs::read_dir(testdata("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    assert!(!files.is_empty());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        for exchange in lines.chunk_by(|_, next| !next.starts_with('>')) {
            let question = exchange[0].strip_prefix("> ").unwrap();
            let (request, transport) = read_question(question);
            let (_, reply) = outcome(&world, &request, transport);
            hickory_proto::op::Message::from_vec(&reply).unwrap();
            let expected: String = exchange[1..].iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(describe(&reply), expected, "{}: {question}", path.display());
        }
    }
}
