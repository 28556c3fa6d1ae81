//! `check-names` and `check-mx` within record data: which names have to be those of hosts or mailboxes.

use super::{Fault, Field, Form, NameField, NameUse, names, old};
use crate::dns::NameRef;
use crate::dns::host::{are_host_labels, is_address, is_mailbox};
use crate::dns::name::NoDot;

/// What `check-names` wants of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// Nothing.
    Any,
    /// A host.
    Host,
    /// A host that takes mail: not an address in its place.
    MailHost,
    /// A host, unless the number in front of it is 0.
    ServiceHost,
    /// Whoever has no more labels than the signature of which this is the signer, even without `check-names`.
    Signer,
    /// A mailbox.
    Mailbox,
    /// A host, if the owner is an address reversed.
    ReverseHost,
}

/// What to do about a name that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Judgement {
    /// Do not look.
    #[default]
    Ignore,
    /// Say so and go on.
    Remark,
    /// Refuse the record.
    Refuse,
}

/// How the names of a record are judged, and what is to be said of them.
#[derive(Debug, Default)]
pub struct NameChecks {
    /// Names that are not those of hosts.
    pub names: Judgement,
    /// Addresses in the place of mail hosts.
    pub addresses: Judgement,
    /// Whether the owner is an address reversed.
    pub is_reverse: bool,
    /// Lines and what is to be said of them.
    pub remarks: Vec<(u64, String)>,
}

impl NameChecks {
    /// Judges a name by its text and its wire form.
    #[inline]
    pub(super) fn judge(
        &mut self,
        rule: NameRule,
        text: &[u8],
        wire: &[u8],
        mut line: impl FnMut() -> u64,
    ) -> Result<(), Fault> {
        if rule == NameRule::MailHost && self.addresses != Judgement::Ignore && is_address(text) {
            let remark = || format!("'{}': {}", String::from_utf8_lossy(text), Fault::MailAddress);
            self.remark(self.addresses, Fault::MailAddress, line(), remark)?;
        }
        if self.names == Judgement::Ignore || is_met(rule, wire, || self.is_reverse) {
            return Ok(());
        }
        let name = NameRef::from_wire(wire)?;
        self.remark(self.names, Fault::BadName, line(), || format!("{}: {}", NoDot(name), Fault::BadName))
    }

    #[cold]
    fn remark(
        &mut self,
        judgement: Judgement,
        fault: Fault,
        line: u64,
        text: impl FnOnce() -> String,
    ) -> Result<(), Fault> {
        if judgement == Judgement::Refuse {
            return Err(fault);
        }
        self.remarks.push((line, text()));
        Ok(())
    }
}

#[inline]
fn is_met(rule: NameRule, wire: &[u8], is_reverse: impl FnOnce() -> bool) -> bool {
    match rule {
        NameRule::Any | NameRule::Signer => true,
        NameRule::Host | NameRule::MailHost | NameRule::ServiceHost => are_host_labels(wire),
        NameRule::Mailbox => NameRef::from_wire(wire).is_ok_and(is_mailbox),
        NameRule::ReverseHost => are_host_labels(wire) || !is_reverse(),
    }
}

/// The first name within well-formed data that `check-names` does not let pass. `is_reverse` says whether the owner is
/// an address reversed.
#[inline]
pub fn misnamed(form: impl Into<Form>, rdata: &[u8], is_reverse: impl Fn() -> bool) -> Option<NameRef<'_>> {
    let form = form.into();
    match form.fields {
        [Field::A6] => old::a6_name(rdata).filter(|name| !are_host_labels(name.as_bytes())),
        // A service that has no host but another name.
        [Field::U16, Field::Name(NameUse { rule: NameRule::ServiceHost, .. }), ..] if rdata.starts_with(&[0, 0]) => {
            None
        }
        fields if fields.iter().any(is_ruled) => {
            let is_met = |name: &NameField<'_>| is_met(name.usage.rule, name.name.as_bytes(), &is_reverse);
            names(form, rdata).find(|name| !is_met(name)).map(|name| name.name)
        }
        _ => None,
    }
}

fn is_ruled(field: &Field) -> bool {
    matches!(field, Field::Name(usage) if !matches!(usage.rule, NameRule::Any | NameRule::Signer))
}
