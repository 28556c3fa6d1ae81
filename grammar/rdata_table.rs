//! `grammar/rdata` to Rust: one row per type, a jump by number, a match by mnemonic.

use std::collections::HashSet;
use std::fmt::{Error, Write};

/// Mnemonics are compared as one number of 16 bytes.
const MAX_MNEMONIC: usize = 16;

/// One line of the table.
struct Row {
    mnemonic: String,
    number: u16,
    meta: bool,
    fields: Vec<String>,
}

/// The Rust for the table's text, or the line and nature of a mistake in it.
pub(crate) fn generate(text: &str) -> Result<String, (usize, String)> {
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    for (place, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        if content.trim().is_empty() {
            continue;
        }
        let row = parse(content).map_err(|fault| (place + 1, fault))?;
        for key in [row.mnemonic.clone(), row.number.to_string()] {
            if !seen.insert(key.clone()) {
                return Err((place + 1, format!("'{key}' stands here a second time")));
            }
        }
        rows.push(row);
    }
    render(&rows).map_err(|fault| (0, fault.to_string()))
}

fn parse(line: &str) -> Result<Row, String> {
    let mut words = line.split_whitespace();
    let mnemonic = words.next().unwrap_or_default().to_owned();
    if mnemonic.len() > MAX_MNEMONIC || mnemonic != mnemonic.to_ascii_uppercase() {
        return Err(format!("'{mnemonic}': a mnemonic has up to {MAX_MNEMONIC} capitals"));
    }
    let number = words.next().ok_or("the number is missing")?;
    let number = number.parse().map_err(|_| format!("'{number}' is no type number"))?;
    let words: Vec<&str> = words.collect();
    let meta = words == ["meta"];
    if words.is_empty() {
        return Err("a type needs fields, or the word meta".into());
    }
    let fields = if meta { Vec::new() } else { words.iter().map(|word| field(word)).collect::<Result<_, _>>()? };
    Ok(Row { mnemonic, number, meta, fields })
}

/// The Rust expression for a field's word.
fn field(word: &str) -> Result<String, String> {
    let mut parts = word.split('/');
    let kind = parts.next().unwrap_or_default();
    if kind == "name" {
        return name_field(parts);
    }
    if let Some(modifier) = parts.next() {
        return Err(format!("'{kind}' takes no modifier '{modifier}'"));
    }
    let variant = FIELDS.iter().find(|(name, _)| *name == kind).ok_or(format!("unknown field '{kind}'"))?.1;
    Ok(format!("Field::{variant}"))
}

fn name_field<'a>(modifiers: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let (mut compress, mut fold, mut address, mut absolute) = (false, false, false, false);
    let mut rule = "Any";
    for modifier in modifiers {
        match modifier {
            "compress" => (compress, fold) = (true, true),
            "fold" => fold = true,
            "address" => address = true,
            "absolute" => absolute = true,
            "host" => rule = "Host",
            "service-host" => rule = "ServiceHost",
            "signer" => rule = "Signer",
            "mail-host" => rule = "MailHost",
            "mailbox" => rule = "Mailbox",
            "reverse-host" => rule = "ReverseHost",
            other => return Err(format!("'name' takes no modifier '{other}'")),
        }
    }
    Ok(format!(
        "Field::Name(NameUse {{ compress: {compress}, fold: {fold}, address: {address}, absolute: {absolute}, \
         rule: NameRule::{rule} }})"
    ))
}

/// The word of every field with its variant of `dns::rdata::Field`.
const FIELDS: &[(&str, &str)] = &[
    ("u8", "U8"),
    ("u16", "U16"),
    ("u32", "U32"),
    ("ttl", "Ttl"),
    ("time", "Time"),
    ("type", "Type"),
    ("covered", "Covered"),
    ("sig-covered", "SigCovered"),
    ("date", "Date"),
    ("key-tag", "KeyTag"),
    ("no-flags", "NoFlags"),
    ("bytes", "Bytes"),
    ("atma", "Atma"),
    ("algorithm", "Algorithm"),
    ("cert-algorithm", "CertAlgorithm"),
    ("cert-type", "CertType"),
    ("digest-type", "DigestType"),
    ("hash-algorithm", "HashAlgorithm"),
    ("dsync-scheme", "DsyncScheme"),
    ("protocol", "Protocol"),
    ("key-flags", "KeyFlags"),
    ("ip4", "Ip4"),
    ("ip6", "Ip6"),
    ("string", "String"),
    ("string?", "OptionalString"),
    ("strings", "Strings"),
    ("regexp", "Regexp"),
    ("text", "Text"),
    ("quoted", "QuotedText"),
    ("tag", "Tag"),
    ("hex", "Hex"),
    ("ds-digest", "DsDigest"),
    ("zone-digest", "ZoneDigest"),
    ("ssh-digest", "SshDigest"),
    ("base64", "Base64"),
    ("doa-data", "DoaData"),
    ("base64?", "OptionalBase64"),
    ("key", "Key"),
    ("salt", "Salt"),
    ("hash", "Hash"),
    ("types", "Types"),
    ("types+", "SomeTypes"),
    ("nxt-types", "NxtTypes"),
    ("eui48", "Eui48"),
    ("eui64", "Eui64"),
    ("locator", "Locator"),
    ("any", "Any"),
    ("apl", "Apl"),
    ("loc", "Loc"),
    ("nsap", "Nsap"),
    ("wks", "Wks"),
    ("a6", "A6"),
    ("gateway", "Gateway"),
    ("amt-relay", "AmtRelay"),
    ("hip", "Hip"),
    ("svc-params", "SvcParams"),
    ("psdn", "Psdn"),
];

fn render(rows: &[Row]) -> Result<String, Error> {
    let mut out = String::new();
    render_rows(&mut out, rows)?;
    render_lookups(&mut out, rows)?;
    Ok(out)
}

fn render_rows(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(out, "/// Every type of the table.")?;
    writeln!(out, "pub(super) static KINDS: [Kind; {}] = [", rows.len())?;
    for Row { mnemonic, number, meta, fields } in rows {
        let fields = fields.join(", ");
        writeln!(
            out,
            "    Kind {{ rtype: Rtype({number}), mnemonic: {mnemonic:?}, is_meta: {meta}, fields: &[{fields}] }},"
        )?;
    }
    writeln!(out, "];")
}

fn render_lookups(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(out, "/// The place of a type in `KINDS`.")?;
    writeln!(out, "pub(super) fn place(rtype: Rtype) -> Option<usize> {{\n    Some(match rtype.0 {{")?;
    for (place, row) in rows.iter().enumerate() {
        writeln!(out, "        {} => {place},", row.number)?;
    }
    writeln!(out, "        _ => return None,\n    }})\n}}")?;
    writeln!(out, "/// The type whose mnemonic in capitals is these bytes, read as a big-endian number.")?;
    writeln!(out, "pub(super) fn by_mnemonic(packed: u128) -> Option<Rtype> {{\n    Some(match packed {{")?;
    for row in rows {
        let packed = row.mnemonic.bytes().fold(0_u128, |packed, byte| packed << 8 | u128::from(byte));
        writeln!(out, "        {packed:#x} => Rtype({}),", row.number)?;
    }
    writeln!(out, "        _ => return None,\n    }})\n}}")
}
