//! Configurations as people write them, read whole.

use super::config::{Match, Role};
use super::table::Scope;
use super::*;

/// Lowers text as if it were a named.conf called `t.conf`.
fn conf(text: &str) -> Result<(Config, Diagnostics), Diagnostics> {
    let (tree, faults) = parse::text("t.conf", text.as_bytes(), Scope::Top);
    finish(tree.as_ref(), faults)
}

fn good(text: &str) -> Config {
    conf(text).unwrap_or_else(|faults| panic!("{text}\n{faults}")).0
}

#[test]
fn the_usual_pair_is_understood() {
    let config = good(
        r#"key "transfer-key" { algorithm hmac-sha256; secret "c2VjcmV0"; };
           zone "a.example" { type master; file "/etc/bind/zones/a"; allow-transfer { key "transfer-key"; 10/8; }; };
           zone "b.example" { type slave; file "b"; masters { 10.0.0.1; }; allow-transfer { none; }; };"#,
    );
    let [a, b] = config.views[0].zones.as_slice() else { panic!("two zones") };
    assert_eq!(a.role, Role::Primary { file: "/etc/bind/zones/a".into() });
    assert!(matches!(&a.settings.allow_transfer[0].what, Match::Key(name) if name.to_string() == "transfer-key."));
    let Role::Secondary { file, primaries } = &b.role else { panic!("a secondary") };
    assert_eq!(file.as_deref(), Some(Path::new("b")));
    assert_eq!(primaries[0].address.to_string(), "10.0.0.1:53");
    assert!(b.settings.allow_transfer[0].negated);
}

#[test]
fn zones_that_say_the_same_share_their_settings() {
    let config = good(
        r#"zone a { type master; file "a"; notify no; }; zone b { type master; file "b"; notify no; };
           zone c { type master; file "c"; };"#,
    );
    let zones = &config.views[0].zones;
    assert!(std::sync::Arc::ptr_eq(&zones[0].settings, &zones[1].settings));
    assert!(!std::sync::Arc::ptr_eq(&zones[0].settings, &zones[2].settings));
}
