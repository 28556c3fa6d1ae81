//! Why the answer to a request for a transfer is no zone, in BIND's words.

use crate::dns::tsig::TsigError;
use crate::dns::wire::WireError;
use crate::dns::{Rcode, Rtype, Serial};
use crate::zone::check::Conflict;
use crate::zone::hosts::Misnamed;
use crate::zone::journal::{ChangeError, Fault, Misfit};
use crate::zone::{ContentsError, WideRrset, WildcardOwner};

/// Why a transfer failed. The texts are those behind BIND's `failed while receiving responses:`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The primary refused with this rcode.
    #[error("{0}")]
    Rcode(Rcode),
    /// The connection ended within the zone.
    #[error("end of file")]
    UnexpectedEnd,
    /// Records follow the SOA record that ends the zone.
    #[error("extra input data")]
    ExtraData,
    /// A message cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message is no answer to the request, or no part of a zone.
    #[error("FORMERR")]
    Malformed(Flaw),
    /// A response with another ID.
    #[error("unexpected message id")]
    Id,
    /// A response of another opcode.
    #[error("unexpected OPCODE")]
    Opcode,
    /// The signature is missing or wrong.
    #[error(transparent)]
    Tsig(#[from] TsigError),
    /// A name that `check-names` refuses, or an NSEC3 record whose owner is no hash.
    #[error("{}", .0.reason())]
    Misnamed(Box<Misnamed>),
    /// NS or NSEC3 records of a wildcard, in BIND's words.
    #[error("{0}")]
    Wildcard(WildcardOwner),
    /// A SOA record elsewhere than at the apex.
    #[error("not at top of zone")]
    NotZoneTop,
    /// A limit was passed.
    #[error("too many records")]
    TooManyRecords,
    /// A limit was passed by the records of one RRset.
    #[error("too many records")]
    WideRrset(Box<WideRrset>),
    /// More differences than `request-ixfr-max-diffs`.
    #[error("too many differences")]
    TooManyDifferences,
    /// The zone has no NS records at its apex.
    #[error("bad zone")]
    NoNs,
    /// The zone has more than one SOA record, or none.
    #[error("bad zone")]
    BadZone,
    /// Records that exclude each other.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The answer to IXFR holds nothing: the primary does not know IXFR.
    #[error("empty answer section")]
    NoAnswer,
    /// Differences that do not fit the version that they are to be made to.
    #[error("not exact")]
    NotExact(Misfit),
}

/// What named says of records that it takes all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Of changes: the whole line.
    Changes(String),
    /// Of a name, behind the zone's.
    Misnamed(Misnamed),
}

/// What is wrong with a message that can be read. The texts are the lines that BIND logs before it says `FORMERR`, or
/// our own where it says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// QR is clear.
    #[error("not a response")]
    NotResponse,
    /// The first message does not repeat the question.
    #[error("missing question section")]
    NoQuestion,
    /// More than one question.
    #[error("too many questions ({0})")]
    Questions(u16),
    /// A question about another name.
    #[error("question name mismatch")]
    QuestionName,
    /// A question of another type.
    #[error("question type mismatch")]
    QuestionType,
    /// A question of another class.
    #[error("question class mismatch")]
    QuestionClass,
    /// A record of another class.
    #[error("record class mismatch")]
    RecordClass,
    /// A type that stands for no data.
    #[error("Unexpected {0} record in zone transfer")]
    MetaType(Rtype),
    /// Another record where the zone begins.
    #[error("first RR in zone transfer must be SOA")]
    FirstRecord,
    /// Differences that start where the ones before did not end.
    #[error("IXFR out of sync: expected serial {expected}, got {got}")]
    OutOfSync {
        /// The serial that the ones before led to.
        expected: Serial,
        /// The one that came.
        got: Serial,
    },
    /// Differences that no journal could hold.
    #[error("differences: {0}")]
    Differences(Fault),
    /// Differences that are larger than the zone.
    #[error("differences exceed the zone")]
    LongDifferences,
    /// The second SOA record has other data than the first.
    #[error("start and ending SOA records mismatch")]
    SoaMismatch,
    /// A record whose data cannot be stored.
    #[error("record that no zone can hold")]
    Record,
}

impl StreamError {
    /// Whether it is of a message as such, which named finds before it looks at what the message says.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            Self::Rcode(_)
                | Self::NoAnswer
                | Self::Wire(_)
                | Self::Id
                | Self::Opcode
                | Self::Malformed(Flaw::RecordClass)
        )
    }
}

impl From<Flaw> for StreamError {
    fn from(flaw: Flaw) -> Self {
        Self::Malformed(flaw)
    }
}

impl From<ContentsError> for StreamError {
    fn from(error: ContentsError) -> Self {
        match error {
            ContentsError::TooManyRecords | ContentsError::TooManyTypes(_) => Self::TooManyRecords,
            ContentsError::WideRrset(wide) => Self::WideRrset(wide),
            ContentsError::Wildcard(owner) => Self::Wildcard(owner),
            ContentsError::BadRecord | ContentsError::LargeRrset(_) => Flaw::Record.into(),
            ContentsError::OutOfZone | ContentsError::SoaCount { .. } => Self::BadZone,
        }
    }
}

impl From<ChangeError> for StreamError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotExact(misfit) => Self::NotExact(misfit),
            ChangeError::Contents(error) => error.into(),
        }
    }
}
