//! `check-names` and `check-mx` within record data: which names have to be those of hosts or mailboxes.

use super::{Fault, NameField};
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
        if self.names == Judgement::Ignore || self.is_met(rule, wire) {
            return Ok(());
        }
        let name = NameRef::from_wire(wire)?;
        self.remark(self.names, Fault::BadName, line(), || format!("{}: {}", NoDot(name), Fault::BadName))
    }

    fn is_met(&self, rule: NameRule, wire: &[u8]) -> bool {
        match rule {
            NameRule::Any | NameRule::Signer => true,
            NameRule::Host | NameRule::MailHost | NameRule::ServiceHost => are_host_labels(wire),
            NameRule::Mailbox => NameRef::from_wire(wire).is_ok_and(is_mailbox),
            NameRule::ReverseHost => !self.is_reverse || are_host_labels(wire),
        }
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

impl NameField<'_> {
    /// Whether the name is what `check-names` wants of it, in this data. `is_reverse`: the owner is a reversed address.
    pub fn is_as_ruled(&self, rdata: &[u8], is_reverse: bool) -> bool {
        let is_alias = self.usage.rule == NameRule::ServiceHost && rdata.starts_with(&[0, 0]);
        let checks = NameChecks { is_reverse, ..NameChecks::default() };
        is_alias || checks.is_met(self.usage.rule, self.name.as_bytes())
    }
}
