//! The chunks that the contents of a zone lie in. Most zones of a server of many are small and have one, which then
//! takes no list of its own.

use std::ops::Deref;
use std::slice;
use std::sync::Arc;

/// Chunks in order, shared with other versions.
#[derive(Clone, Default)]
pub(super) enum Chunks<T> {
    /// There are none.
    #[default]
    None,
    /// There is one.
    One(Arc<[T]>),
    /// There are several.
    Many(Box<[Arc<[T]>]>),
}

impl<T> Deref for Chunks<T> {
    type Target = [Arc<[T]>];

    #[inline]
    fn deref(&self) -> &Self::Target {
        match self {
            Self::None => &[],
            Self::One(chunk) => slice::from_ref(chunk),
            Self::Many(chunks) => chunks,
        }
    }
}

impl<T> From<Vec<Arc<[T]>>> for Chunks<T> {
    fn from(mut chunks: Vec<Arc<[T]>>) -> Self {
        match chunks.len() {
            0 | 1 => chunks.pop().map_or(Self::None, Self::One),
            _ => Self::Many(chunks.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_chunks_is_kept_in_order() {
        for count in 0..4_u8 {
            let list: Vec<Arc<[u8]>> = (0..count).map(|number| [number].into()).collect();
            assert_eq!(Chunks::from(list.clone()).to_vec(), list);
        }
    }
}
