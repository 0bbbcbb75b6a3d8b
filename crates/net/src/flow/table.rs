//! The flow table: key to slot, slot to flow, and which flow was heard last.

use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use wirebeat_model::{FlowKey, Time};

/// Names a flow in a [`Table`]. A slot that was given away again is a different one: old names find nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    index: u32,
    generation: u32,
}

const NONE: u32 = u32::MAX;
/// Flows are kept in chunks: a table of a million grows without ever copying them.
const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;
/// A flow is moved to the young end of the line at most so often. Moving touches two neighbours, so not at each packet.
const LINE_STEP: u64 = 1_000_000_000;
/// Second names of one flow at most: a published port has one.
const MAX_ALIASES: u8 = 4;
/// Flows that [`Table::stalest`] looks at before it takes what it has.
const LOOKS: usize = 8;

/// A flow and its place in the line from stalest to youngest.
struct Entry<T> {
    key: FlowKey,
    /// Last packet.
    last: Time,
    /// When it was put at the young end.
    queued: Time,
    older: u32,
    younger: u32,
    generation: u32,
    /// First of its second names, in `Table::aliases`.
    alias: u32,
    aliases: u8,
    value: Option<T>,
}

struct Alias {
    key: FlowKey,
    slot: u32,
    next: u32,
    flipped: bool,
}

/// Flows by key: at most `max`, found in constant time, with the stalest at hand when room is needed.
pub struct Table<T> {
    /// Upper half: 32 bits of the hash (growing needs no look at the keys), lower half: index.
    index: HashTable<(u32, u32)>,
    alias_index: HashTable<(u32, u32)>,
    aliases: Vec<Alias>,
    free_aliases: Vec<u32>,
    chunks: Vec<Vec<Entry<T>>>,
    free: Vec<u32>,
    len: usize,
    max: usize,
    stalest: u32,
    youngest: u32,
    hasher: SeedableRandomState,
}

impl<T> Table<T> {
    /// A table for at most `max` flows (at least 1). `seed` keeps an attacker from choosing colliding keys.
    pub fn new(max: usize, seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            alias_index: HashTable::new(),
            aliases: Vec::new(),
            free_aliases: Vec::new(),
            chunks: Vec::new(),
            free: Vec::new(),
            len: 0,
            max: max.clamp(1, 1 << 30),
            stalest: NONE,
            youngest: NONE,
            hasher: SeedableRandomState::with_seed(seed, foldhash::SharedSeed::global_fixed()),
        }
    }

    /// Flows in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether [`Table::insert`] will refuse.
    pub fn is_full(&self) -> bool {
        self.len >= self.max
    }

    /// Finds a flow by its key or a second name. `true` when the name's direction AtoB is the flow's BtoA.
    #[inline]
    pub fn find(&self, key: &FlowKey) -> Option<(Slot, bool)> {
        let hash = self.hash(key);
        let found =
            self.index.find(widen(hash), |&(h, i)| h == hash && self.entry(i).is_some_and(|e| e.key == *key));
        if let Some(&(_, index)) = found {
            return Some((Slot { index, generation: self.entry(index)?.generation }, false));
        }
        if self.alias_index.is_empty() { None } else { self.find_alias(key, hash) }
    }

    #[cold]
    fn find_alias(&self, key: &FlowKey, hash: u32) -> Option<(Slot, bool)> {
        let &(_, at) =
            self.alias_index.find(widen(hash), |&(h, a)| h == hash && self.alias_key(a) == Some(key))?;
        let alias = self.aliases.get(at as usize)?;
        Some((Slot { index: alias.slot, generation: self.entry(alias.slot)?.generation }, alias.flipped))
    }

    /// Adds a flow. The value comes back when the table is full or has the key already.
    pub fn insert(&mut self, key: FlowKey, now: Time, value: T) -> Result<Slot, T> {
        if self.is_full() || self.find(&key).is_some() {
            return Err(value);
        }
        let entry = Entry {
            key,
            last: now,
            queued: now,
            older: NONE,
            younger: NONE,
            generation: 0,
            alias: NONE,
            aliases: 0,
            value: Some(value),
        };
        let index = self.place(entry);
        self.len += 1;
        self.enqueue(index);
        let hash = self.hash(&key);
        self.index.insert_unique(widen(hash), (hash, index), |&(h, _)| widen(h));
        Ok(Slot { index, generation: self.entry(index).map_or(0, |e| e.generation) })
    }

    fn place(&mut self, mut entry: Entry<T>) -> u32 {
        if let Some(index) = self.free.pop() {
            if let Some(old) = self.entry_mut(index) {
                entry.generation = old.generation;
                *old = entry;
            }
            return index;
        }
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        let full = self.chunks.len().saturating_sub(1) << CHUNK_BITS;
        (full + self.chunks.last().map_or(0, Vec::len) - 1) as u32
    }

    /// Gives a flow a second name: packets with `key` are its packets. `flipped` is what [`Table::find`] shall say.
    ///
    /// `false` when the name is taken, the flow is gone or has enough names.
    pub fn alias(&mut self, slot: Slot, key: FlowKey, flipped: bool) -> bool {
        if self.get(slot).is_none() || self.find(&key).is_some() {
            return false;
        }
        let hash = self.hash(&key);
        let at = self.free_aliases.pop().unwrap_or(self.aliases.len() as u32);
        let Some(entry) = self.entry_mut(slot.index).filter(|e| e.aliases < MAX_ALIASES) else {
            return false;
        };
        entry.aliases += 1;
        let alias = Alias { key, slot: slot.index, next: std::mem::replace(&mut entry.alias, at), flipped };
        match self.aliases.get_mut(at as usize) {
            Some(old) => *old = alias,
            None => self.aliases.push(alias),
        }
        self.alias_index.insert_unique(widen(hash), (hash, at), |&(h, _)| widen(h));
        true
    }

    /// The flow in a slot.
    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&T> {
        self.entry(slot.index).filter(|e| e.generation == slot.generation)?.value.as_ref()
    }

    /// The flow in a slot, to be changed.
    #[inline]
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.entry_mut(slot.index).filter(|e| e.generation == slot.generation)?.value.as_mut()
    }

    /// The key it was inserted with.
    pub fn key(&self, slot: Slot) -> Option<FlowKey> {
        self.entry(slot.index).filter(|e| e.generation == slot.generation && e.value.is_some()).map(|e| e.key)
    }

    /// Notes that a packet of it came, and returns it: what to call per packet. `now` is the clock that never goes back.
    #[inline]
    pub fn touch(&mut self, slot: Slot, now: Time) -> Option<&mut T> {
        let entry = self.entry_mut(slot.index).filter(|e| e.generation == slot.generation)?;
        if now > entry.last {
            entry.last = now;
            if now.since(entry.queued) >= LINE_STEP {
                entry.queued = now;
                self.dequeue(slot.index);
                self.enqueue(slot.index);
            }
        }
        self.entry_mut(slot.index)?.value.as_mut()
    }

    /// The flow that was silent longest, to make room. Exact but for flows touched within the same second.
    pub fn stalest(&mut self) -> Option<Slot> {
        for _ in 0..LOOKS {
            let index = self.stalest;
            let entry = self.entry_mut(index)?;
            if entry.last == entry.queued {
                break;
            }
            // Heard of since it was queued: to the young end with it, for now.
            entry.queued = entry.last;
            self.dequeue(index);
            self.enqueue(index);
        }
        let index = self.stalest;
        self.entry(index).map(|e| Slot { index, generation: e.generation })
    }

    /// Takes a flow out, with all its names.
    pub fn remove(&mut self, slot: Slot) -> Option<T> {
        let entry = self.entry_mut(slot.index).filter(|e| e.generation == slot.generation)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        let (key, mut alias) = (entry.key, entry.alias);
        self.dequeue(slot.index);
        let hash = self.hash(&key);
        if let Ok(found) = self.index.find_entry(widen(hash), |&(_, i)| i == slot.index) {
            found.remove();
        }
        while let Some(a) = self.aliases.get(alias as usize) {
            let (hash, next) = (self.hash(&a.key), a.next);
            if let Ok(found) = self.alias_index.find_entry(widen(hash), |&(_, i)| i == alias) {
                found.remove();
            }
            self.free_aliases.push(alias);
            alias = next;
        }
        self.free.push(slot.index);
        self.len -= 1;
        Some(value)
    }

    /// All flows, in an order that depends on insertions and removals only.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        (0u32..).zip(self.chunks.iter().flatten()).filter_map(|(index, e)| {
            e.value.as_ref()?;
            Some(Slot { index, generation: e.generation })
        })
    }

    #[inline]
    fn hash(&self, key: &FlowKey) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    #[inline]
    fn entry(&self, index: u32) -> Option<&Entry<T>> {
        self.chunks.get((index >> CHUNK_BITS) as usize)?.get(index as usize & (CHUNK - 1))
    }

    #[inline]
    fn entry_mut(&mut self, index: u32) -> Option<&mut Entry<T>> {
        self.chunks.get_mut((index >> CHUNK_BITS) as usize)?.get_mut(index as usize & (CHUNK - 1))
    }

    fn alias_key(&self, at: u32) -> Option<&FlowKey> {
        self.aliases.get(at as usize).map(|a| &a.key)
    }

    /// Puts an entry at the young end of the line.
    fn enqueue(&mut self, index: u32) {
        let before = std::mem::replace(&mut self.youngest, index);
        if let Some(e) = self.entry_mut(index) {
            e.older = before;
            e.younger = NONE;
        }
        match self.entry_mut(before) {
            Some(e) => e.younger = index,
            None => self.stalest = index,
        }
    }

    fn dequeue(&mut self, index: u32) {
        let Some((older, younger)) = self.entry(index).map(|e| (e.older, e.younger)) else { return };
        match self.entry_mut(older) {
            Some(e) => e.younger = younger,
            None => self.stalest = younger,
        }
        match self.entry_mut(younger) {
            Some(e) => e.older = older,
            None => self.youngest = older,
        }
    }
}

/// The map takes its position from the low bits and its tag from the high ones: 32 bits serve both up to 2^25 flows.
#[inline]
fn widen(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
