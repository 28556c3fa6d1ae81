//! AES-128 of one block (FIPS 197), for cookies of `cookie-algorithm aes` alone.
//!
//! A cookie is made for each query of a client that sends one, with a secret that seldom changes and no gain in speed
//! worth a table of rounds, so this is the plain algorithm: sixteen bytes, ten rounds, keys made on the way.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// A block, and a key.
pub(super) type Block = [u8; 16];

const ROUNDS: usize = 10;

/// Encrypts one block.
pub(super) fn encrypt(key: &Block, block: &Block) -> Block {
    let mut key = *key;
    let mut state = xor(block, &key);
    let mut constant = 1;
    for round in 1..=ROUNDS {
        state = shift_rows(state.map(substitute));
        if round < ROUNDS {
            state = mix_columns(state);
        }
        key = next_key(&key, constant);
        constant = double(constant);
        state = xor(&state, &key);
    }
    state
}

fn xor(a: &Block, b: &Block) -> Block {
    let mut sum = *a;
    sum.iter_mut().zip(b).for_each(|(byte, other)| *byte ^= other);
    sum
}

/// The key of the next round: each word is the one before it, the first after a turn and a substitution, added to the
/// word of this key.
fn next_key(key: &Block, constant: u8) -> Block {
    let mut next = *key;
    let [.., a, b, c, d] = *key;
    let mut before = [substitute(b) ^ constant, substitute(c), substitute(d), substitute(a)];
    for word in next.as_chunks_mut::<4>().0 {
        word.iter_mut().zip(before).for_each(|(byte, other)| *byte ^= other);
        before = *word;
    }
    next
}

/// The state is written by columns: its row r is turned by r places.
fn shift_rows(s: Block) -> Block {
    let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = s;
    [a0, b1, c2, d3, b0, c1, d2, a3, c0, d1, a2, b3, d0, a1, b2, c3]
}

fn mix_columns(mut state: Block) -> Block {
    for column in state.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *column;
        let all = a ^ b ^ c ^ d;
        *column = [a ^ all ^ double(a ^ b), b ^ all ^ double(b ^ c), c ^ all ^ double(c ^ d), d ^ all ^ double(d ^ a)];
    }
    state
}

/// Times x in the field of 256 elements.
const fn double(byte: u8) -> u8 {
    (byte << 1) ^ (if byte & 0x80 == 0 { 0 } else { 0x1b })
}

fn substitute(byte: u8) -> u8 {
    SUBSTITUTES.get(usize::from(byte)).copied().unwrap_or(0)
}

const SUBSTITUTES: [u8; 256] = substitutes();

/// Each byte's inverse, spread by an affine map. The powers of 3 go through all bytes but 0, those of its inverse go
/// through their inverses.
#[allow(clippy::indexing_slicing)] // done when it is built
const fn substitutes() -> [u8; 256] {
    let mut table = [0; 256];
    let (mut power, mut inverse) = (1_u8, 1_u8);
    loop {
        power ^= double(power);
        inverse ^= inverse << 1;
        inverse ^= inverse << 2;
        inverse ^= inverse << 4;
        if inverse & 0x80 != 0 {
            inverse ^= 0x09;
        }
        let spread = inverse ^ inverse.rotate_left(1) ^ inverse.rotate_left(2) ^ inverse.rotate_left(3);
        table[power as usize] = spread ^ inverse.rotate_left(4) ^ 0x63;
        if power == 1 {
            table[0] = 0x63;
            return table;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_reproduced() {
        let key = std::array::from_fn(|index| index as u8);
        let text = std::array::from_fn(|index| (index * 0x11) as u8);
        let secret = *b"\x69\xc4\xe0\xd8\x6a\x7b\x04\x30\xd8\xcd\xb7\x80\x70\xb4\xc5\x5a";
        assert_eq!(encrypt(&key, &text), secret);
    }
}
