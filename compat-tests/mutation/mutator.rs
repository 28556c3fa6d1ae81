//! Damages bytes, the same way from the same seed.

use nomd::transfer::random::Random;

/// Numbers at the edges of their types, as text.
const EDGES: [&[u8]; 12] = [
    b"",
    b"0",
    b"1",
    b"-1",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967296",
    b"99999999999999999999",
];
/// Bytes that mean something in messages or in text.
const BYTES: &[u8] = b"\x00\x01\x3f\x40\x7f\x80\xbf\xc0\xc1\xff\"'()*./;@\\$!{}#\n\r\t ";
const MAX_CHANGES: usize = 6;
/// No input grows larger.
const MAX_LENGTH: usize = 1 << 16;

/// A source of damage.
pub(crate) struct Mutator(Random);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// One of the seeds with a few changes, some of them pieces of other seeds.
    pub(crate) fn damaged(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.one_of(seeds).clone();
        for _ in 0..=self.below(MAX_CHANGES) {
            let other = self.one_of(seeds);
            self.change(&mut bytes, other);
        }
        bytes.truncate(MAX_LENGTH);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let (start, end) = self.piece(bytes.len());
        match self.below(8) {
            0 => bytes[start..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
            1 => bytes[start..].iter_mut().take(1).for_each(|byte| *byte = BYTES[self.below(BYTES.len())]),
            2 => bytes.insert(start, BYTES[self.below(BYTES.len())]),
            3 => drop(bytes.drain(start..end)),
            4 => bytes.truncate(start),
            5 => self.splice(bytes, other),
            6 => self.move_to_edge(bytes),
            _ => bytes.extend_from_within(start..end),
        }
    }

    /// Puts a piece of `other` in the place of a piece of `bytes`.
    fn splice(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let ((start, end), (from, to)) = (self.piece(bytes.len()), self.piece(other.len()));
        drop(bytes.splice(start..end, other[from..to].iter().copied()));
    }

    /// Turns a number into one at the edge of a type: digits, or two bytes where there are none.
    fn move_to_edge(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        if let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).filter(|_| self.below(2) == 0) {
            let digits = bytes[at + start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let edge = EDGES[self.below(EDGES.len())];
            drop(bytes.splice(at + start..at + start + digits, edge.iter().copied()));
        } else {
            let edge = [0, 1, 0x7fff, 0x8000, 0xc000, 0xc00c, 0xffff_u16][self.below(7)];
            bytes[at..].iter_mut().zip(edge.to_be_bytes()).for_each(|(byte, new)| *byte = new);
        }
    }

    /// A range within `length`, mostly short.
    fn piece(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        let longest = if self.below(4) == 0 { length } else { 40 };
        (start, (start + self.below(longest + 1)).min(length))
    }

    pub(crate) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }
}
