//! When two names are the same, and which comes first.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::{MAX_LABELS, MAX_NAME, NameRef};
use crate::dns::case;

impl PartialEq for NameRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Length bytes are below 64, so folding them as if they were letters changes none of them.
        case::is_same(self.0, other.0)
    }
}
impl Eq for NameRef<'_> {}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.folded(&mut [0; MAX_NAME]));
    }
}

impl Ord for NameRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (LabelStarts::of(*self), LabelStarts::of(*other));
        for depth in 1..=mine.count.min(theirs.count) {
            let order = compare_folded(mine.at_depth(depth), theirs.at_depth(depth));
            if order != Ordering::Equal {
                return order;
            }
        }
        mine.count.cmp(&theirs.count)
    }
}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where each label starts, so that labels can be walked from the last to the first.
struct LabelStarts<'a> {
    name: &'a [u8],
    starts: [u8; MAX_LABELS],
    count: usize,
}

impl<'a> LabelStarts<'a> {
    fn of(name: NameRef<'a>) -> Self {
        let mut found = Self { name: name.0, starts: [0; MAX_LABELS], count: 0 };
        let mut at = 0;
        for label in name.labels() {
            found.starts[found.count] = at as u8;
            found.count += 1;
            at += 1 + label.len();
        }
        found
    }

    /// The label `depth` places from the end, 1 being the last before the root.
    fn at_depth(&self, depth: usize) -> &'a [u8] {
        let start = usize::from(self.starts[self.count - depth]);
        let length = usize::from(self.name[start]);
        &self.name[start + 1..start + 1 + length]
    }
}

fn compare_folded(left: &[u8], right: &[u8]) -> Ordering {
    left.iter().map(u8::to_ascii_lowercase).cmp(right.iter().map(u8::to_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use crate::dns::Name;

    #[test]
    fn the_order_is_canonical() {
        // RFC 4034 section 6.1.
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let mut shuffled: Vec<Name> = sorted.iter().rev().map(|text| text.parse().unwrap()).collect();
        shuffled.sort();
        assert_eq!(shuffled.iter().map(Name::to_string).collect::<Vec<_>>(), sorted);
    }
}
