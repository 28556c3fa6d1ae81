//! A name of a zone and its RRsets, as they lie packed in memory.
//!
//! A node is one run of bytes (a *block*): the owner relative to the apex with its case kept, the plain RRsets, and
//! behind them the signatures, so that a query without DO never touches the signatures' cache lines. Each RRset is a
//! short header and then its RRs, every one as RDLENGTH and uncompressed rdata exactly as they go into a message.
//!
//! ```text
//! block  = u8 owner length, owner labels, size plain, size signatures, plain RRsets, signature RRsets
//! RRset  = u16 type (a signature's: the type covered), u32 ttl, size count, size bytes, RRs
//! RR     = u16 rdlength, rdata
//! listing = an RRset of no RRs behind the signatures, where `listing` has something to store
//! size   = seven bits a byte, the low ones first, the top bit says that more follow
//! ```

use crate::dns::{NameBuf, NameRef, Rtype};

/// A name that holds RRsets.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    apex: NameRef<'a>,
    /// The block and whatever is behind it. A node that is only passed by is not read.
    block: &'a [u8],
    flags: Flags,
}

impl<'a> Node<'a> {
    /// The node of the block at the start of `block`.
    #[inline]
    pub(super) fn new(apex: NameRef<'a>, flags: Flags, block: &'a [u8]) -> Self {
        Node { apex, block, flags }
    }

    /// The bytes of the RRsets, and those of the signatures.
    #[inline]
    fn parts(&self) -> (&'a [u8], &'a [u8]) {
        let mut bytes = Bytes(self.block);
        let owner_len = bytes.u8();
        bytes.take(usize::from(owner_len));
        let (plain_len, signatures_len) = (bytes.size(), bytes.size());
        (bytes.take(plain_len), bytes.take(signatures_len))
    }

    /// The owner name, with the case that it was loaded with.
    pub fn owner(&self) -> NameBuf {
        NameBuf::join(self.relative_owner(), self.apex).unwrap_or_else(|_| NameBuf::from_name(self.apex))
    }

    /// The owner's labels above the apex in wire form, without a root label; empty at the apex.
    #[inline]
    pub fn relative_owner(&self) -> &'a [u8] {
        block_labels(self.block)
    }

    /// The RRset of this type. Signatures are not found here but with [`Rrset::signatures`] and [`Self::signatures`].
    pub fn rrset(&self, rtype: Rtype) -> Option<Rrset<'a>> {
        let (plain, signatures) = self.parts();
        let (ttl, count, rrs) = Bytes(plain).find(rtype)?;
        Some(Rrset { rtype, covered: rtype, ttl, count, rrs, signatures })
    }

    /// All RRsets but the RRSIGs, by ascending type.
    pub fn rrsets(&self) -> Rrsets<'a> {
        let (plain, signatures) = self.parts();
        Rrsets { rest: Bytes(plain), signatures, are_signatures: false, listing: &[] }
    }

    /// The RRSIGs as one RRset for each type covered, also those that cover nothing that is there.
    pub fn signatures(&self) -> Rrsets<'a> {
        Rrsets { rest: Bytes(self.parts().1), signatures: &[], are_signatures: true, listing: &[] }
    }

    /// What is stored of the order and spelling of the RRsets.
    pub(super) fn listing(&self) -> &'a [u8] {
        let mut signatures = self.signatures();
        while signatures.next().is_some() {}
        signatures.listing
    }

    /// Whether a zone cut is here: NS records, not at the apex.
    pub fn is_cut(&self) -> bool {
        self.flags.has(Flags::CUT)
    }

    /// Whether the node lies below a zone cut or a DNAME, hence is no authoritative data (glue at most).
    pub fn is_occluded(&self) -> bool {
        self.flags.has(Flags::OCCLUDED)
    }

    /// Whether there is a DNAME here.
    pub fn has_dname(&self) -> bool {
        self.flags.has(Flags::DNAME)
    }

    /// Whether there is a CNAME here.
    pub fn has_cname(&self) -> bool {
        self.flags.has(Flags::CNAME)
    }

    /// Whether there is a wildcard right below.
    pub fn has_wildcard(&self) -> bool {
        self.flags.has(Flags::WILDCARD)
    }

    /// Whether there is an NSEC record here.
    pub fn has_nsec(&self) -> bool {
        self.flags.has(Flags::NSEC)
    }

    /// Whether this is the owner of an NSEC3 record, which makes it no name of the zone (RFC 5155 section 7.2.8).
    pub fn is_nsec3(&self) -> bool {
        self.flags.has(Flags::NSEC3)
    }

    /// Whether this is the zone's apex.
    pub fn is_apex(&self) -> bool {
        self.block.first().is_none_or(|len| *len == 0)
    }
}

/// The RRs of one owner and type.
#[derive(Clone, Copy)]
pub struct Rrset<'a> {
    rtype: Rtype,
    covered: Rtype,
    ttl: u32,
    count: usize,
    rrs: &'a [u8],
    signatures: &'a [u8],
}

impl<'a> Rrset<'a> {
    /// The type: RRSIG for signatures.
    pub fn rtype(&self) -> Rtype {
        self.rtype
    }

    /// What the RRSIGs cover; for any other RRset its own type.
    pub fn covered(&self) -> Rtype {
        self.covered
    }

    /// The TTL, one for all RRs (RFC 2181 section 5.2).
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// How many RRs, at least one.
    #[allow(clippy::len_without_is_empty)] // an RRset is never empty
    pub fn len(&self) -> usize {
        self.count
    }

    /// The rdata of each RR in canonical order: wire form, uncompressed.
    pub fn rdatas(&self) -> Rdatas<'a> {
        Rdatas { rest: Bytes(self.rrs), left: self.count }
    }

    /// All RRs as they lie in memory: RDLENGTH and rdata, one behind the other.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.rrs
    }

    /// The data of the RR that is the only one; of several the first.
    pub fn only(&self) -> &'a [u8] {
        let mut bytes = Bytes(self.rrs);
        let len = bytes.u16();
        bytes.take(usize::from(len))
    }

    /// The RRSIGs that cover this RRset.
    pub fn signatures(&self) -> Option<Self> {
        let (ttl, count, rrs) = Bytes(self.signatures).find(self.rtype)?;
        Some(Rrset { rtype: Rtype::RRSIG, covered: self.rtype, ttl, count, rrs, signatures: &[] })
    }
}

/// The RRsets of a node.
#[derive(Clone)]
pub struct Rrsets<'a> {
    rest: Bytes<'a>,
    signatures: &'a [u8],
    are_signatures: bool,
    listing: &'a [u8],
}

impl<'a> Iterator for Rrsets<'a> {
    type Item = Rrset<'a>;

    #[inline]
    fn next(&mut self) -> Option<Rrset<'a>> {
        let (covered, ttl, count, rrs) = self.rest.rrset()?;
        if count == 0 {
            self.listing = rrs;
            return None;
        }
        let rtype = if self.are_signatures { Rtype::RRSIG } else { covered };
        Some(Rrset { rtype, covered, ttl, count, rrs, signatures: self.signatures })
    }
}

/// The rdata of the RRs of an RRset.
#[derive(Clone)]
pub struct Rdatas<'a> {
    rest: Bytes<'a>,
    left: usize,
}

impl<'a> Iterator for Rdatas<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let len = self.rest.u16();
        Some(self.rest.take(usize::from(len)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Rdatas<'_> {}

/// What is known of a node without reading its block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Flags(pub(super) u16);

impl Flags {
    pub(super) const CUT: Self = Self(1);
    pub(super) const OCCLUDED: Self = Self(1 << 1);
    pub(super) const DNAME: Self = Self(1 << 2);
    pub(super) const CNAME: Self = Self(1 << 3);
    pub(super) const WILDCARD: Self = Self(1 << 4);
    pub(super) const NSEC: Self = Self(1 << 5);
    pub(super) const NSEC3: Self = Self(1 << 6);
    /// There are records of which a check of the zone may have something to say.
    pub(super) const CONCERN: Self = Self(1 << 7);
    /// There are several records of a type of which there may be one.
    pub(super) const DOUBLE: Self = Self(1 << 8);
    const AROUND: u16 = Self::OCCLUDED.0 | Self::WILDCARD.0;

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    /// Those that the types at the name make, whatever names there are above and below.
    pub(super) fn own(self) -> Self {
        Self(self.0 & !Self::AROUND)
    }

    /// Those that the names above and below make.
    pub(super) fn around(self) -> Self {
        Self(self.0 & Self::AROUND)
    }

    pub(super) fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }

    /// Whether names below are no authoritative data.
    pub(super) fn occludes_below(self) -> bool {
        self.0 & (Self::CUT.0 | Self::DNAME.0 | Self::OCCLUDED.0) != 0
    }

    pub(super) fn with(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }

    /// What the presence of a type says; the rest depends on the names around.
    pub(super) fn of_type(rtype: Rtype, is_apex: bool) -> Self {
        match rtype {
            Rtype::NS if !is_apex => Self::CUT,
            Rtype::DNAME => Self::DNAME,
            Rtype::CNAME => Self::CNAME,
            Rtype::NSEC => Self::NSEC,
            Rtype::NSEC3 => Self::NSEC3,
            _ => Self::default(),
        }
    }
}

/// The owner's labels of the block at the start of `block`.
#[inline]
pub(super) fn block_labels(block: &[u8]) -> &[u8] {
    let mut bytes = Bytes(block);
    let len = bytes.u8();
    bytes.take(usize::from(len))
}

/// How many bytes the block at the start of `block` has.
pub(super) fn block_len(block: &[u8]) -> usize {
    let mut bytes = Bytes(block);
    let owner_len = bytes.u8();
    bytes.take(usize::from(owner_len));
    let (plain, signatures) = (bytes.size(), bytes.size());
    block.len() - bytes.0.len() + plain + signatures
}

/// How many bytes a size takes.
#[inline]
pub(super) fn size_len(size: usize) -> usize {
    if size <= 0x7f {
        return 1;
    }
    let bits = usize::BITS - (size | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// How many bytes a listing takes in a block.
pub(super) fn listing_size(listing: &[u8]) -> usize {
    if listing.is_empty() { 0 } else { LISTING_HEAD.len() + size_len(listing.len()) + listing.len() }
}

/// Appends a listing, if there is one.
pub(super) fn push_listing(out: &mut Vec<u8>, listing: &[u8]) {
    if !listing.is_empty() {
        out.extend_from_slice(&LISTING_HEAD);
        push_size(out, listing.len());
        out.extend_from_slice(listing);
    }
}

/// Length of the header of an RRset whose sizes take one byte each, as they mostly do.
const HEADER: usize = 8;

/// Type, TTL and count of the RRset that is none. The count takes two bytes, so that it is not met where both sizes of
/// an RRset are taken to be of one byte.
const LISTING_HEAD: [u8; 8] = [0, 0, 0, 0, 0, 0, 0x80, 0];

/// Appends a size as [`Bytes::size`] reads it.
pub(super) fn push_size(out: &mut Vec<u8>, mut size: usize) {
    while size > 0x7f {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

/// Appends what stands in front of the RRs of an RRset.
#[inline]
pub(super) fn push_header(out: &mut Vec<u8>, rtype: Rtype, ttl: u32, count: usize, size: usize) {
    let ([a, b], [c, d, e, f]) = (rtype.0.to_be_bytes(), ttl.to_be_bytes());
    if (count | size) <= 0x7f {
        out.extend_from_slice(&[a, b, c, d, e, f, count as u8, size as u8]);
        return;
    }
    out.extend_from_slice(&[a, b, c, d, e, f]);
    push_size(out, count);
    push_size(out, size);
}

/// Reads blocks, which only the builder writes: running over the end yields zeros and empty slices, never a panic.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at_checked(len).unwrap_or((&[], &[]));
        self.0 = rest;
        head
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().unwrap_or((&[0; N], &[]));
        self.0 = rest;
        *head
    }

    #[inline]
    fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    #[inline]
    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    #[inline]
    fn size(&mut self) -> usize {
        match *self.0 {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.0 = rest;
                usize::from(byte)
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.0 = rest;
                usize::from(low & 0x7f) | usize::from(high) << 7
            }
            _ => {
                let byte = self.u8();
                self.long_size(byte)
            }
        }
    }

    /// The RRset of a type, or that covers it, as (TTL, count, RRs). They stand by ascending type.
    fn find(mut self, rtype: Rtype) -> Option<(u32, usize, &'a [u8])> {
        loop {
            let (covered, ttl, count, rrs) = self.rrset()?;
            if covered >= rtype {
                return (covered == rtype).then_some((ttl, count, rrs));
            }
        }
    }

    /// An RRset as (type, or type covered, TTL, count, RRs); none at the end.
    #[inline(always)]
    fn rrset(&mut self) -> Option<(Rtype, u32, usize, &'a [u8])> {
        let (&[a, b, c, d, e, f, count, len], rest) = self.0.split_first_chunk::<HEADER>()?;
        let (covered, ttl) = (Rtype(u16::from_be_bytes([a, b])), u32::from_be_bytes([c, d, e, f]));
        self.0 = rest;
        // Both sizes take one byte, as they mostly do.
        let (count, len) = if (count | len) < 0x80 { (count.into(), len.into()) } else { self.sizes(count, len) };
        Some((covered, ttl, count, self.take(len)))
    }

    /// Two sizes that start with these bytes, which are read.
    fn sizes(&mut self, first: u8, second: u8) -> (usize, usize) {
        if first < 0x80 {
            return (first.into(), self.long_size(second));
        }
        let mut size = usize::from(first & 0x7f) | usize::from(second & 0x7f) << 7;
        if second >= 0x80 {
            size |= self.size() << 14;
        }
        (size, self.size())
    }

    /// A size whose first byte is read.
    fn long_size(&mut self, first: u8) -> usize {
        let mut size = usize::from(first & 0x7f);
        for shift in (7..usize::BITS).step_by(7) {
            let byte = self.u8();
            size |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        size
    }
}
