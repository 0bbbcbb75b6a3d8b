//! Numbers for the texts of a field that are the same in all blocks, made when they are first wanted and kept: what Lucene
//! calls global ordinals. A search that counts by them need not look at a text again.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use arrow_array::{Array, StringArray};
use hashbrown::HashTable;

use crate::terms::having_part;

/// Numbers for texts, the same text always the same number.
///
/// Texts are known by a keyed 64-bit hash alone: with a secret key two texts share one about once in 2^64.
pub(crate) struct Texts {
    index: HashTable<(u64, u32)>,
    hasher: RandomState,
    bytes: String,
    /// Where each ends, after a leading 0. They take much less than 2 GiB: searches and numberings have limits.
    ends: Vec<i32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { index: HashTable::new(), hasher: RandomState::new(), bytes: String::new(), ends: vec![0] }
    }
}

impl Texts {
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        self.number_of(self.hash(text), text)
    }

    pub(crate) fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// The number of a text whose hash is known.
    #[inline]
    pub(crate) fn number_of(&mut self, hash: u64, text: &str) -> u32 {
        if let Some(n) = self.find(hash) {
            return n;
        }
        let n = self.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as i32);
        self.index.insert_unique(hash, (hash, n), |e| e.0);
        n
    }

    /// The number of a text of this hash, when it has one.
    #[inline]
    fn find(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |e| e.0 == hash).map(|e| e.1)
    }

    pub(crate) fn get(&self, n: u32) -> &str {
        let n = n as usize;
        &self.bytes[self.ends[n] as usize..self.ends[n + 1] as usize]
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.index.capacity() * 17
    }
}

/// A row group: its file's number and its own.
pub(crate) type Group = (u64, u32);

/// The numbers of a field's texts. They grow until they take too much memory; from then on no text gets one.
pub struct Numbering {
    limit: usize,
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    texts: Texts,
    /// The number of each term of a group's dictionary.
    groups: HashMap<Group, Arc<[u32]>>,
    groups_bytes: usize,
    full: bool,
}

impl fmt::Debug for Numbering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbering of {} texts", self.len())
    }
}

impl Inner {
    fn bytes(&self) -> usize {
        self.texts.bytes() + self.groups_bytes
    }

    fn settle(&mut self, limit: usize) {
        self.full |= self.bytes() > limit;
    }
}

impl Numbering {
    /// One that takes so many bytes, about.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, inner: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of a group's terms, where they were made.
    pub(crate) fn of_group(&self, group: Group) -> Option<Arc<[u32]>> {
        self.read().groups.get(&group).cloned()
    }

    /// Makes the numbers of a group's terms and keeps them; `None` when there is no room.
    pub(crate) fn add_group(&self, group: Group, terms: &StringArray) -> Option<Arc<[u32]>> {
        let hashes: Vec<u64> = {
            let inner = self.read();
            if inner.full {
                return None;
            }
            (0..terms.len()).map(|code| inner.texts.hash(terms.value(code))).collect()
        };
        let mut inner = self.write();
        if inner.full {
            return None;
        }
        let texts = &mut inner.texts;
        let numbers = hashes.iter().zip(0..).map(|(hash, code)| texts.number_of(*hash, terms.value(code)));
        let numbers: Arc<[u32]> = numbers.collect();
        if inner.groups.insert(group, Arc::clone(&numbers)).is_none() {
            inner.groups_bytes += numbers.len() * 4;
        }
        inner.settle(self.limit);
        Some(numbers)
    }

    /// The number of a text, which gets one where there is room.
    pub(crate) fn number(&self, text: &str) -> Option<u32> {
        let hash = {
            let inner = self.read();
            let hash = inner.texts.hash(text);
            match inner.texts.find(hash) {
                None if !inner.full => hash,
                found => return found,
            }
        };
        let mut inner = self.write();
        if inner.full {
            return inner.texts.find(hash);
        }
        let number = inner.texts.number_of(hash, text);
        inner.settle(self.limit);
        Some(number)
    }

    pub(crate) fn compare(&self, a: u32, b: u32) -> Ordering {
        let inner = self.read();
        inner.texts.get(a).cmp(inner.texts.get(b))
    }

    pub(crate) fn text(&self, number: u32) -> String {
        self.read().texts.get(number).to_owned()
    }

    /// Finds out about the numbers from `known.len()` on whether their texts pass a test; those that do have this part.
    pub(crate) fn extend_passing(
        &self,
        known: &mut Vec<bool>,
        part: Option<&str>,
        test: impl Fn(&str) -> bool,
    ) {
        let inner = self.read();
        let (texts, from) = (&inner.texts, known.len());
        if from >= texts.len() {
            return;
        }
        known.resize(texts.len(), false);
        let mut look = |n: usize| known[n] = test(texts.get(n as u32));
        match part {
            Some(part) => having_part(&texts.ends[from..], texts.bytes.as_bytes(), part, |n| look(from + n)),
            None => (from..texts.len()).for_each(look),
        }
    }

    /// How many texts have a number.
    pub(crate) fn len(&self) -> usize {
        self.read().texts.len()
    }

    fn bytes(&self) -> usize {
        self.read().bytes()
    }

    fn is_full(&self) -> bool {
        self.read().full
    }

    fn forget(&self, file: u64) {
        let mut inner = self.write();
        inner.groups.retain(|group, _| group.0 != file);
        inner.groups_bytes = inner.groups.values().map(|numbers| numbers.len() * 4).sum();
    }
}

/// Numberings of fields, by the fields' names.
pub(crate) struct Numberings {
    /// Bytes of one, and of all together.
    limits: (usize, usize),
    all: Mutex<HashMap<String, Entry>>,
}

enum Entry {
    /// And when it was last asked for.
    Kept(Arc<Numbering>, Instant),
    /// It had become too large then.
    Refused(Instant),
}

impl Entry {
    fn is_used(&self, now: Instant) -> bool {
        !matches!(self, Self::Kept(_, then) if now.duration_since(*then) > USED_FOR)
    }
}

/// What was asked for since is in use.
const USED_FOR: Duration = Duration::from_secs(60);
/// A field whose texts is not tried again before.
const REFUSED_FOR: Duration = Duration::from_secs(600);

impl Numberings {
    /// Those of all fields together take so many bytes, about; one field half as many.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limits: (limit / 2, limit), all: Mutex::default() }
    }

    /// That of a field; `None` when its texts are too many. A search asks once: what it is given stays as it is, while
    /// another may take its place.
    pub(crate) fn of(&self, name: &str) -> Option<Arc<Numbering>> {
        self.of_at(name, Instant::now())
    }

    fn of_at(&self, name: &str, now: Instant) -> Option<Arc<Numbering>> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let numbering = match all.get(name) {
            Some(Entry::Refused(then)) if now.duration_since(*then) < REFUSED_FOR => return None,
            Some(Entry::Kept(numbering, _)) if numbering.is_full() => {
                all.insert(name.to_owned(), Entry::Refused(now));
                return None;
            }
            Some(Entry::Kept(numbering, _)) => Arc::clone(numbering),
            // One that is in use would have to go, and would come back at the cost of this one.
            _ if bytes(&all) > self.limits.1 / 2 && all.values().all(|e| e.is_used(now)) => return None,
            _ => Arc::new(Numbering::new(self.limits.0)),
        };
        all.insert(name.to_owned(), Entry::Kept(Arc::clone(&numbering), now));
        make_room(&mut all, self.limits.1);
        Some(numbering)
    }

    /// That of a field, where there is one already.
    pub(crate) fn known(&self, name: &str) -> Option<Arc<Numbering>> {
        match self.all.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            Some(Entry::Kept(numbering, _)) => Some(Arc::clone(numbering)),
            _ => None,
        }
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        bytes(&self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A file is gone.
    pub(crate) fn forget(&self, file: u64) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in all.values() {
            if let Entry::Kept(numbering, _) = entry {
                numbering.forget(file);
            }
        }
    }
}

fn bytes(all: &HashMap<String, Entry>) -> usize {
    let of = |entry: &Entry| if let Entry::Kept(numbering, _) = entry { numbering.bytes() } else { 0 };
    all.values().map(of).sum()
}

/// Drops those that were not asked for longest, but for the last one.
fn make_room(all: &mut HashMap<String, Entry>, limit: usize) {
    while bytes(all) > limit {
        let kept = all.iter().filter_map(|(name, entry)| match entry {
            Entry::Kept(_, then) => Some((*then, name)),
            Entry::Refused(_) => None,
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort();
        let [(_, oldest), _, ..] = kept.as_slice() else { return };
        let oldest = (*oldest).clone();
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(of: &[&str]) -> StringArray {
        StringArray::from(of.to_vec())
    }

    #[test]
    fn the_same_text_has_the_same_number_in_all_groups() {
        let numbering = Numbering::new(1 << 20);
        let first = numbering.add_group((0, 0), &terms(&["b", "a"])).unwrap();
        let second = numbering.add_group((0, 1), &terms(&["a", "c", "b"])).unwrap();
        assert_eq!((first[0], first[1]), (second[2], second[0]));
        assert_ne!(second[1], first[0]);
        assert_eq!(numbering.number("c"), Some(second[1]));
        assert_eq!(numbering.text(second[1]), "c");
        assert_eq!(numbering.compare(first[0], first[1]), Ordering::Greater);
        assert_eq!(numbering.len(), 3);
        assert_eq!(numbering.of_group((0, 1)).as_deref(), Some(&*second));
        numbering.forget(0);
        assert!(numbering.of_group((0, 1)).is_none());
        assert_eq!(numbering.add_group((1, 0), &terms(&["a"])).as_deref(), Some(&[first[1]][..]));
    }

    #[test]
    fn one_that_is_full_does_not_grow() {
        let numbering = Numbering::new(1000);
        let long = "x".repeat(2000);
        assert!(numbering.add_group((0, 0), &terms(&["a", &long])).is_some(), "the last one it takes");
        let size = numbering.len();
        assert!(numbering.add_group((0, 1), &terms(&["b"])).is_none());
        assert_eq!((numbering.number("b"), numbering.number("a")), (None, Some(0)));
        assert_eq!(numbering.len(), size);
    }

    #[test]
    fn what_was_not_asked_for_longest_goes() {
        let numberings = Numberings::new(8000);
        let start = Instant::now();
        let of = |name: &str, seconds| numberings.of_at(name, start + Duration::from_secs(seconds));
        let fill = |name: &str, seconds, bytes: usize| {
            of(name, seconds).unwrap().number(&"x".repeat(bytes));
        };
        fill("a", 0, 2500);
        fill("b", 1, 2500);
        assert!(of("c", 2).is_none(), "half is taken, and in use");
        let a = of("a", 62).unwrap();
        fill("c", 63, 3500);
        assert!(Arc::ptr_eq(&a, &of("a", 64).unwrap()), "asked for after b");
        assert_eq!(of("c", 65).unwrap().len(), 1);
        assert!(numberings.bytes() <= 8000, "b is gone");
        fill("a", 66, 5000);
        assert!(of("a", 67).is_none(), "too large");
        assert!(of("a", 68).is_none());
        assert_eq!(of("a", 67 + REFUSED_FOR.as_secs()).unwrap().len(), 0, "tried again");
    }

    #[test]
    fn texts_are_tested_once() {
        let numbering = Numbering::new(1 << 20);
        numbering.add_group((0, 0), &terms(&["", "abc", "b"]));
        let mut known = Vec::new();
        numbering.extend_passing(&mut known, None, |text| text.contains('b'));
        assert_eq!(known, [false, true, true]);
        numbering.add_group((0, 1), &terms(&["xab", "ba", "b"]));
        let part = Some("ab");
        numbering.extend_passing(&mut known, part, |text| {
            assert!(text.contains("ab"));
            true
        });
        assert_eq!(known, [false, true, true, true, false]);
    }
}
