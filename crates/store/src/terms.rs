//! Distinct values, each numbered.

use std::hash::BuildHasher;

use arrow_array::Array;
use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::block::Terms;

/// Numbers texts: each distinct one once, in the order they came.
pub(crate) struct Texts {
    hasher: RandomState,
    /// Hash and number.
    table: HashTable<(u64, u32)>,
    bytes: Vec<u8>,
    /// Where each text ends, after a leading 0.
    ends: Vec<i32>,
}

impl Texts {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::default(), table: HashTable::new(), bytes: Vec::new(), ends: vec![0] }
    }

    /// Bytes of all texts.
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    pub(crate) fn get(&self, code: u32) -> &[u8] {
        let i = code as usize;
        &self.bytes[self.ends[i] as usize..self.ends[i + 1] as usize]
    }

    /// The number of a text.
    #[inline]
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text.as_bytes());
        let (bytes, ends) = (&self.bytes, &self.ends);
        let same = |&(h, code): &(u64, u32)| {
            let i = code as usize;
            h == hash && &bytes[ends[i] as usize..ends[i + 1] as usize] == text.as_bytes()
        };
        if let Some(&(_, code)) = self.table.find(hash, same) {
            return code;
        }
        let code = self.len() as u32;
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len() as i32);
        self.table.insert_unique(hash, (hash, code), |e| e.0);
        code
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.bytes.clear();
        self.ends.truncate(1);
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms::Text(text_array(self.bytes.clone(), self.ends.clone()))
    }

    pub(crate) fn into_terms(self) -> Terms {
        Terms::Text(text_array(self.bytes, self.ends))
    }
}

/// Texts one after the other, and where each ends after a leading 0. What is not UTF-8 gives no texts at all.
pub(crate) fn text_array(bytes: Vec<u8>, ends: Vec<i32>) -> StringArray {
    checked_text_array(bytes, ends).unwrap_or_else(|| StringArray::new_null(0))
}

/// [`text_array`], `None` when it is not UTF-8 or the ends are not in order.
pub(crate) fn checked_text_array(bytes: Vec<u8>, ends: Vec<i32>) -> Option<StringArray> {
    if ends.first() != Some(&0) || !ends.is_sorted() {
        return None;
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    StringArray::try_new(offsets, Buffer::from_vec(bytes), None).ok()
}

/// The texts that have a part in them: one search through all of them instead of one in each. They lie one after the other,
/// and end at these places, after one for the first's beginning.
pub(crate) fn having_part(ends: &[i32], bytes: &[u8], part: &str, mut each: impl FnMut(usize)) {
    let [first, ends @ ..] = ends else { return };
    let finder = memchr::memmem::Finder::new(part);
    let (mut at, mut code) = (*first as usize, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| finder.find(rest)) {
        let start = at + found;
        // Often one of the next ones.
        let next = ends[code..].iter().take(8).position(|end| *end as usize > start);
        code += next.unwrap_or_else(|| ends[code..].partition_point(|end| *end as usize <= start));
        let Some(end) = ends.get(code).map(|end| *end as usize) else { return };
        if start + part.len() <= end {
            each(code);
            at = end;
        } else {
            // Across the end of a text.
            at = start + 1;
        }
    }
}

/// Numbers addresses.
pub(crate) struct Ips {
    hasher: RandomState,
    table: HashTable<u32>,
    pub(crate) list: Vec<u128>,
}

impl Ips {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::default(), table: HashTable::new(), list: Vec::new() }
    }

    #[inline]
    pub(crate) fn code(&mut self, ip: u128) -> u32 {
        let hash = self.hasher.hash_one(ip);
        let list = &self.list;
        if let Some(&code) = self.table.find(hash, |&c| list[c as usize] == ip) {
            return code;
        }
        let code = self.list.len() as u32;
        self.list.push(ip);
        let (hasher, list) = (&self.hasher, &self.list);
        self.table.insert_unique(hash, code, |&c| hasher.hash_one(list[c as usize]));
        code
    }

    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.list.clear();
    }
}

/// One numbering for the terms of several columns.
pub(crate) enum Merged {
    Texts(Texts),
    Ips(Ips),
}

impl Merged {
    /// For terms like these.
    pub(crate) fn like(terms: &Terms) -> Self {
        match terms {
            Terms::Text(_) => Self::Texts(Texts::new()),
            Terms::Ip(_) => Self::Ips(Ips::new()),
        }
    }

    /// The new number of each of these terms. Terms of the other kind have none; they do not occur.
    pub(crate) fn add(&mut self, terms: &Terms) -> Vec<u32> {
        match (self, terms) {
            (Self::Texts(all), Terms::Text(more)) => {
                (0..more.len()).map(|i| all.code(more.value(i))).collect()
            }
            (Self::Ips(all), Terms::Ip(more)) => more.iter().map(|&ip| all.code(ip)).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn into_terms(self) -> Terms {
        match self {
            Self::Texts(texts) => texts.into_terms(),
            Self::Ips(ips) => Terms::Ip(ips.list),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_have_a_part() {
        let texts = StringArray::from(vec![
            "", "abab", "ba", "", "xab", "a", "b", "ab", "", "", "", "", "", "", "", "", "", "ab",
        ]);
        let found = |texts: &StringArray, part: &str| {
            let mut found = Vec::new();
            having_part(texts.value_offsets(), texts.value_data(), part, |code| found.push(code));
            found
        };
        let one_by_one = |texts: &StringArray, part: &str| -> Vec<usize> {
            (0..texts.len()).filter(|i| texts.value(*i).contains(part)).collect()
        };
        for part in ["ab", "ba", "abab", "xab", "bb", "aa", "abba"] {
            assert_eq!(found(&texts, part), one_by_one(&texts, part), "{part}");
            let some = texts.slice(2, 5);
            assert_eq!(found(&some, part), one_by_one(&some, part), "{part} in a slice");
        }
    }
}
