//! What was read from files and may be wanted again: the least recently used goes when there is too much.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::file::metadata::ParquetMetaData;

use crate::block::{Codes, Column};
use crate::part::Part;

/// Whose: file, row group, and the column's name in the file, or a field's behind a space, or behind a `#` for codes alone; a row's number for a
/// document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) file: u64,
    pub(crate) group: u32,
    pub(crate) name: Box<str>,
}

#[derive(Clone)]
pub(crate) enum Kept {
    Part(Option<Part>),
    Column(Option<Arc<Column>>),
    Codes(Arc<Codes>),
    Document(Arc<str>),
    Footer(Arc<ParquetMetaData>),
}

impl Kept {
    fn bytes(&self) -> usize {
        128 + match self {
            Self::Part(part) => part.as_ref().map_or(0, Part::bytes),
            Self::Column(column) => column.as_ref().map_or(0, |c| c.bytes()),
            Self::Codes(codes) => codes.bytes(),
            Self::Document(text) => text.len(),
            Self::Footer(footer) => footer.memory_size(),
        }
    }
}

#[derive(Default)]
struct Inner {
    map: HashMap<Key, (Kept, usize, u64)>,
    /// By last use.
    order: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

/// Bounded by bytes.
pub(crate) struct Cache {
    inner: Mutex<Inner>,
    limit: usize,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { inner: Mutex::default(), limit }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Kept> {
        let mut guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *guard;
        let (kept, _, used) = inner.map.get_mut(key)?;
        inner.clock += 1;
        if let Some(key) = inner.order.remove(used) {
            inner.order.insert(inner.clock, key);
        }
        *used = inner.clock;
        Some(kept.clone())
    }

    pub(crate) fn put(&self, key: Key, kept: Kept) {
        let bytes = kept.bytes() + key.name.len() * 2;
        if bytes > self.limit {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.remove(&key);
        while inner.bytes + bytes > self.limit {
            let Some(oldest) = inner.order.values().next().cloned() else { break };
            inner.remove(&oldest);
        }
        inner.clock += 1;
        let now = inner.clock;
        inner.bytes += bytes;
        inner.order.insert(now, key.clone());
        inner.map.insert(key, (kept, bytes, now));
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// A file is gone.
    pub(crate) fn forget(&self, file: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<Key> = inner.map.keys().filter(|k| k.file == file).cloned().collect();
        gone.iter().for_each(|key| inner.remove(key));
    }
}

impl Inner {
    fn remove(&mut self, key: &Key) {
        if let Some((_, bytes, used)) = self.map.remove(key) {
            self.order.remove(&used);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Rows, Values};
    use wirebeat_model::Kind;

    #[test]
    fn the_least_recently_used_goes() {
        let column = |n| {
            Kept::Column(Some(Arc::new(Column {
                kind: Kind::Long,
                rows: Rows::Each,
                values: Values::Long(vec![0; n].into()),
            })))
        };
        let key = |n| Key { file: n, group: 0, name: "x".into() };
        let cache = Cache::new(3000);
        cache.put(key(1), column(100));
        cache.put(key(2), column(100));
        assert!(cache.get(&key(1)).is_some());
        cache.put(key(3), column(100));
        cache.put(key(4), column(100));
        assert!(cache.get(&key(1)).is_some() && cache.get(&key(2)).is_none());
        cache.put(key(5), column(1000));
        assert!(cache.get(&key(5)).is_none(), "larger than everything");
        cache.forget(1);
        assert!(cache.get(&key(1)).is_none());
        [3, 4].iter().for_each(|f| cache.forget(*f));
        assert_eq!(cache.bytes(), 0);
    }
}
