//! The table of statements: what may stand where, how it is written, and what becomes of it.
//!
//! The tables themselves are generated from `grammar/named.conf`; these are their types. `clause` holds a constant for
//! each statement that is marked full; the lowering has its own, of which it must use every one.

use super::Dialect;

/// A statement's name as a number: equal for equal names, wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Clause(pub(super) u16);

/// A statement that is a single value, and what holds without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<T> {
    /// Which it is.
    pub(crate) clause: Clause,
    /// What holds without it.
    pub(crate) default: T,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Which it is.
    pub(crate) clause: Clause,
    /// Its name.
    pub(crate) name: &'static str,
    /// What follows the name.
    pub(crate) syntax: Syntax,
    /// The types of zones that may hold it, as bits of [`ZoneType`].
    pub(crate) zone_types: u16,
    /// Whether it may stand more than once in a block.
    pub(crate) repeats: bool,
    /// What becomes of a word behind it.
    pub(crate) stray: Stray,
    /// Its group in print: statements that fewer blocks share come first.
    pub(crate) group: u8,
    /// The word as which it is sorted within its group.
    pub(crate) order: &'static str,
    /// Whether a blank stands in print where its first part could.
    pub(crate) gap: bool,
    /// How alive it is in BIND 9.18.
    pub(crate) life: Life,
    /// How alive it is in BIND 9.20.
    pub(crate) later_life: Life,
    /// What nomd makes of it.
    pub(crate) status: Status,
    /// The first of these versions of BIND that has it.
    pub(crate) since: Version,
    /// What the manual says of it.
    #[cfg(test)]
    pub(crate) manual: Manual,
}

/// The parts of an entry that only the manual and the tests need, as they stand in the table; empty: not there.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Manual {
    /// What follows the name.
    pub(crate) syntax: &'static str,
    /// What holds without it, as it would be written behind the name.
    pub(crate) default: &'static str,
    /// What holds without it, in words.
    pub(crate) unset: &'static str,
    /// What may follow the name, where not all that the syntax admits passes the checks.
    pub(crate) example: &'static str,
    /// One line about it.
    pub(crate) doc: &'static str,
}

/// A version of BIND, or what went before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// 9.18.
    Bind918,
    /// 9.20.
    Bind920,
    /// 9.21.
    Bind921,
}

/// How alive a statement is in a version of BIND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// In use.
    Current,
    /// Works, with a warning.
    Deprecated,
    /// Read and ignored, with a warning.
    Obsolete,
    /// An error.
    Ancient,
    /// An error in the builds that Debian ships.
    NotBuilt,
}

/// What becomes of a word too many behind a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// It is taken for the next statement.
    Next,
    /// A fault.
    Unexpected,
    /// A fault in other words.
    Refused,
    /// It is passed over.
    Dropped,
}

/// What nomd makes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Does what BIND does.
    Full,
    /// Read, and not done or not whole.
    Partial {
        /// Values that ask for nothing more than is done.
        unless: &'static [&'static str],
        /// What an operator will miss.
        what: &'static str,
    },
    /// Read and without effect; why that does no harm.
    Accepted(&'static str),
    /// Running without it would change answers or lock somebody out.
    Refused {
        /// Values that ask for nothing and so may stand.
        unless: &'static [&'static str],
        /// Why.
        why: &'static str,
    },
    /// BIND dropped it too.
    Gone,
}

/// The shape of what follows a statement's name.
#[derive(Debug)]
pub(crate) enum Syntax {
    /// This word.
    Word(&'static str),
    /// A value.
    Value(Kind),
    /// One behind the other.
    Sequence(&'static [Self]),
    /// The first that fits.
    OneOf(&'static [Self]),
    /// There or not.
    Optional(&'static Self),
    /// Optional parts in any order, each at most once.
    AnyOrder(&'static [Self]),
    /// `{ element; ... }`.
    List(&'static Self),
    /// `{ statement; ... }`.
    Block(Scope),
}

/// What a value may be; README.md of the grammar describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of the grammar
pub(crate) enum Kind {
    Address,
    AddressMatch,
    AddressOrAny,
    AddressV6,
    Attached,
    Bare,
    Boolean,
    Duration,
    Fixed,
    Forwarder,
    Host,
    Integer,
    Lifetime,
    Percentage,
    PortRange,
    Prefix,
    QuerySourceV4,
    QuerySourceV6,
    Quoted,
    Remote,
    Secret,
    ServerKey,
    Size,
    SizeOrPercentage,
    SourceV4,
    SourceV6,
    String,
    Text,
    Words,
}

/// A zone's type, its spelling aside. The discriminants are the bits of [`Statement::zone_types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the words of named.conf
pub(crate) enum ZoneType {
    Primary,
    Secondary,
    Mirror,
    Hint,
    Stub,
    StaticStub,
    Forward,
    Redirect,
    DelegationOnly,
    InView,
}

impl ZoneType {
    /// Reads the word of a `type` statement.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "primary" | "master" => Self::Primary,
            "secondary" | "slave" => Self::Secondary,
            "mirror" => Self::Mirror,
            "hint" => Self::Hint,
            "stub" => Self::Stub,
            "static-stub" => Self::StaticStub,
            "forward" => Self::Forward,
            "redirect" => Self::Redirect,
            "delegation-only" => Self::DelegationOnly,
            _ => return None,
        })
    }
}

impl Statement {
    /// Whether a zone of this type may hold it.
    pub(crate) fn fits(&self, zone_type: ZoneType) -> bool {
        self.zone_types & (1 << zone_type as u16) != 0
    }

    /// Whether whoever speaks this dialect has heard of it.
    pub(crate) fn is_known_to(&self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Nomd => true,
            Dialect::Bind918 => self.since <= Version::Bind918,
            Dialect::Bind920 => self.since <= Version::Bind920,
        }
    }

    /// How alive it is there.
    pub(crate) fn life_in(&self, dialect: Dialect) -> Life {
        match dialect {
            Dialect::Nomd | Dialect::Bind918 => self.life,
            Dialect::Bind920 => self.later_life,
        }
    }
}

impl Scope {
    /// The statement of this name, whatever the case of its letters.
    pub(crate) fn find(self, name: &str) -> Option<&'static Statement> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.find(&name.to_ascii_lowercase());
        }
        let indexes = self.indexes();
        let at = indexes.binary_search_by(|index| STATEMENTS[usize::from(*index)].name.cmp(name)).ok()?;
        Some(&STATEMENTS[usize::from(*indexes.get(at)?)])
    }

    /// What statements are sorted by in print.
    pub(crate) fn order(self, statement: &Statement) -> (u8, &'static str) {
        let has_groups = matches!(self, Self::Top | Self::Options | Self::View | Self::Zone);
        (if has_groups { statement.group } else { 0 }, statement.order)
    }

    /// Its statements by name.
    #[cfg(test)]
    pub(crate) fn statements(self) -> impl Iterator<Item = &'static Statement> {
        self.indexes().iter().map(|index| &STATEMENTS[usize::from(*index)])
    }
}

/// The names of all statements.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STATEMENTS.iter().map(|statement| statement.name)
}

/// The words that stand in statements.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    let mut words = Vec::new();
    STATEMENTS.iter().for_each(|statement| statement.syntax.words(&mut words));
    words.into_iter()
}

impl Syntax {
    fn words(&self, words: &mut Vec<&'static str>) {
        match self {
            Self::Word(word) => words.push(word),
            Self::Sequence(parts) | Self::OneOf(parts) | Self::AnyOrder(parts) => {
                parts.iter().for_each(|part| part.words(words));
            }
            Self::Optional(inner) | Self::List(inner) => inner.words(words),
            Self::Value(_) | Self::Block(_) => {}
        }
    }
}

/// The statements that are marked full, for whoever looks at some of them.
#[allow(dead_code)] // whether all are lowered is seen in `lower`
pub(super) mod clause {
    include!(concat!(env!("OUT_DIR"), "/clauses.rs"));
}

include!(concat!(env!("OUT_DIR"), "/statements.rs"));
