//! The domain names within record data: what a message may compress, what draws additional data, what is folded.

use std::ops::Range;

use super::{Field, Form, NameUse};
use crate::dns::NameRef;
use crate::dns::wire::{Reader, WireError};

/// One name and its place.
#[derive(Debug, Clone)]
pub struct NameField<'a> {
    /// Which bytes of the data.
    pub range: Range<usize>,
    /// The name.
    pub name: NameRef<'a>,
    /// What it is for.
    pub usage: NameUse,
}

/// The names within well-formed data, in order. Those of types written by hand (A6, HIP, IPSECKEY, AMTRELAY) are left
/// out: nothing but printing looks at them.
pub fn names(form: impl Into<Form>, rdata: &[u8]) -> Names<'_> {
    Names { fields: form.into().fields.iter(), rdata, reader: Reader::new(rdata) }
}

/// Iterates over the names of one record.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    fields: std::slice::Iter<'static, Field>,
    rdata: &'a [u8],
    reader: Reader<'a>,
}

impl<'a> Iterator for Names<'a> {
    type Item = NameField<'a>;

    fn next(&mut self) -> Option<NameField<'a>> {
        for field in self.fields.by_ref() {
            let start = self.reader.position();
            if let Field::Name(usage) = *field {
                let name = NameRef::from_prefix(self.rdata.get(start..)?).ok()?;
                self.reader.take(name.len()).ok()?;
                return Some(NameField { range: start..self.reader.position(), name, usage });
            }
            skip(*field, &mut self.reader).ok()?;
        }
        None
    }
}

/// Moves over a field that may stand in front of a name.
fn skip(field: Field, reader: &mut Reader<'_>) -> Result<(), WireError> {
    match field {
        Field::U8 | Field::Algorithm | Field::DsyncScheme => reader.take(1).map(|_| ()),
        Field::U16 | Field::Type | Field::Covered | Field::SigCovered | Field::KeyTag => reader.take(2).map(|_| ()),
        Field::U32 | Field::Ttl | Field::Time | Field::Date => reader.take(4).map(|_| ()),
        Field::String | Field::Regexp => reader.short_bytes().map(|_| ()),
        // Nothing else has a name behind it.
        _ => Err(WireError::ExtraData),
    }
}
