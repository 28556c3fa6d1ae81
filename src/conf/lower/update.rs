//! `allow-update`, `update-policy`, and the key of `update-policy local`.

use std::path::PathBuf;

use super::inherit::Levels;
use super::{Context, acl, clause};
use crate::conf::config::{GrantNames, GrantRule, SerialUpdateMethod, SessionKey, Updates};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Item, Node, Value};
use crate::dns::{Algorithm, Name, Rtype};

/// Where Debian's builds keep the session key.
const DEFAULT_SESSION_KEY_FILE: &str = "/run/named/session.key";
const DEFAULT_SESSION_KEY_NAME: &str = "local-ddns";

impl Context<'_> {
    /// Who may change a zone of this type.
    pub(super) fn updates(&self, levels: Levels<'_>, zone_type: ZoneType) -> Updates {
        if zone_type != ZoneType::Primary {
            return Updates::None;
        }
        if let Some(node) = levels.find(clause::UPDATE_POLICY) {
            return Updates::Granted(self.grant_rules(node).into());
        }
        match levels.find(clause::ALLOW_UPDATE).map(|node| self.node_list(node)) {
            Some(list) if list != acl::none() => Updates::Allowed(list),
            _ => Updates::None,
        }
    }

    fn grant_rules(&self, node: &Node<'_>) -> Vec<GrantRule> {
        match node.list() {
            Some(rules) => rules.iter().filter_map(|rule| grant_rule(rule)).collect(),
            None => vec![GrantRule {
                is_granted: true,
                identity: self.session_key_name(),
                names: GrantNames::Local,
                types: vec![(Rtype::ANY, 0)],
            }],
        }
    }

    fn session_key_name(&self) -> Name {
        let text = self.global().find(clause::SESSION_KEYNAME).and_then(Node::text);
        text.unwrap_or(DEFAULT_SESSION_KEY_NAME).parse().unwrap_or_else(|_| Name::root())
    }

    pub(super) fn session_key(&self) -> SessionKey {
        let levels = self.global();
        let path = match levels.find(clause::SESSION_KEYFILE) {
            None => Some(PathBuf::from(DEFAULT_SESSION_KEY_FILE)),
            Some(node) => node.text().map(PathBuf::from),
        };
        let algorithm = levels.find(clause::SESSION_KEYALG).and_then(Node::text).and_then(Algorithm::from_text);
        let (algorithm, truncate_bits) = algorithm.unwrap_or((Algorithm::Sha256, None));
        SessionKey { path, name: self.session_key_name(), algorithm, truncate_bits }
    }
}

/// One rule; none where it is at fault, or of a kind that is refused.
fn grant_rule(rule: &[Item<'_>]) -> Option<GrantRule> {
    let [verb, identity, Item { value: Value::Word(matching), .. }, rest @ ..] = rule else { return None };
    let name = |item: Option<&Item<'_>>| item?.text()?.parse::<Name>().ok();
    let (names, types) = match (*matching, rest) {
        ("zonesub", types) => (GrantNames::Zonesub, types),
        (matching, [of, types @ ..]) => {
            let names = match matching {
                "name" => GrantNames::Name(name(Some(of))?),
                "subdomain" => GrantNames::Subdomain(name(Some(of))?),
                "wildcard" => GrantNames::Wildcard(name(Some(of))?),
                "self" => GrantNames::Itself,
                "selfsub" => GrantNames::SelfSub,
                "selfwild" => GrantNames::SelfWild,
                "tcp-self" => GrantNames::TcpSelf,
                "6to4-self" => GrantNames::SixToFourSelf,
                _ => return None,
            };
            (names, types)
        }
        _ => return None,
    };
    Some(GrantRule {
        is_granted: matches!(verb.value, Value::Word("grant")),
        identity: name(Some(identity))?,
        names,
        types: types.iter().filter_map(|item| granted_type(item.text()?)).collect(),
    })
}

/// A type, and how many of it there may be: `A(5)`.
fn granted_type(text: &str) -> Option<(Rtype, u16)> {
    let (name, most) = text.split_once('(').unwrap_or((text, ""));
    let most = most.trim_end_matches(')').parse().unwrap_or(0);
    Some((name.parse().ok()?, most))
}

/// `serial-update-method`.
pub(super) fn serial_update_method(levels: Levels<'_>) -> SerialUpdateMethod {
    match levels.word(clause::SERIAL_UPDATE_METHOD) {
        Some("unixtime") => SerialUpdateMethod::UnixTime,
        Some("date") => SerialUpdateMethod::Date,
        _ => SerialUpdateMethod::Increment,
    }
}
