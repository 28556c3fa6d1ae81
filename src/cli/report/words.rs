//! Typed values of a configuration in an operator's words.

use crate::conf::config::{Match, MatchElement};

/// How many elements of a list are shown.
const MAX_ELEMENTS: usize = 6;

/// An address match list as it might have been written.
pub(super) fn match_list(list: &[MatchElement]) -> String {
    match list {
        [] => return "nobody".to_owned(),
        [MatchElement { negated: false, what: Match::List(inner) }] => return match_list(inner),
        _ => {}
    }
    let mut shown: Vec<String> = list.iter().take(MAX_ELEMENTS).map(element).collect();
    if list.len() > MAX_ELEMENTS {
        shown.push(format!("{} more", list.len() - MAX_ELEMENTS));
    }
    shown.join(", ")
}

fn element(element: &MatchElement) -> String {
    let what = match &element.what {
        Match::Any if element.negated => return "nobody else".to_owned(),
        Match::Any => "anybody".to_owned(),
        Match::Localhost => "localhost".to_owned(),
        Match::Localnets => "localnets".to_owned(),
        Match::Prefix(prefix) if prefix.prefix_len() == prefix.max_prefix_len() => prefix.addr().to_string(),
        Match::Prefix(prefix) => prefix.to_string(),
        Match::Key(name) => format!("key {}", name.to_string().trim_end_matches('.')),
        // A named acl, or an element in braces of its own, that stands alone needs no braces.
        Match::List(list) if !element.negated && list.len() == 1 => match_list(list),
        Match::List(list) => format!("{{ {} }}", match_list(list)),
    };
    if element.negated { format!("not {what}") } else { what }
}

/// Whether nearly everybody matches a list: `any`, however it is wrapped.
pub(super) fn is_open(list: &[MatchElement]) -> bool {
    verdict_on_all(list) == Some(true)
}

/// What the first element that matches everybody decides.
fn verdict_on_all(list: &[MatchElement]) -> Option<bool> {
    list.iter().find_map(|element| {
        let matches_all = match &element.what {
            Match::Any => true,
            Match::Prefix(prefix) => prefix.prefix_len() == 0,
            Match::List(list) => verdict_on_all(list) == Some(true),
            _ => false,
        };
        matches_all.then_some(!element.negated)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(negated: bool, what: Match) -> MatchElement {
        MatchElement { negated, what }
    }

    fn prefix(text: &str) -> Match {
        Match::Prefix(text.parse().unwrap())
    }

    #[test]
    fn lists_read_as_they_are_written() {
        let acl = Match::List([element(false, prefix("192.0.2.1/32")), element(true, prefix("10.0.0.0/8"))].into());
        let list =
            [element(false, Match::Localhost), element(false, acl), element(false, Match::Key("k.".parse().unwrap()))];
        assert_eq!(match_list(&list), "localhost, { 192.0.2.1, not 10.0.0.0/8 }, key k");
        assert_eq!(match_list(&vec![element(false, Match::Localnets); 8]).matches("localnets").count(), 6);
        assert_eq!(match_list(&[]), "nobody");
    }

    #[test]
    fn a_list_is_open_if_any_comes_before_none() {
        let any = || element(false, Match::Any);
        assert!(is_open(&[any()]) && is_open(&[element(true, prefix("10.0.0.0/8")), any()]));
        assert!(
            is_open(&[element(false, Match::List([any()].into()))]) && is_open(&[element(false, prefix("0.0.0.0/0"))])
        );
        assert!(!is_open(&[element(true, Match::Any), any()]) && !is_open(&[element(false, Match::Localnets)]));
        assert!(!is_open(&[element(true, Match::List([any()].into())), any()]) && !is_open(&[]));
    }
}
