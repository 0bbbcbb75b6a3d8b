//! IP fragments to whole datagrams (RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5).
//!
//! - Fragments may come in any order. Data is kept as it came and copied once more when the last piece is there.
//! - A piece that came before, with the same bytes, is a copy and ignored. Any other overlap drops the datagram and what
//!   still comes of it: in IPv6 as RFC 5722 demands; in IPv4 only if bytes differ, because then hosts disagree on which
//!   win, and whoever sends such a thing counts on it.
//! - A datagram waits 30 s of packet time for its rest, as Linux does: what the receiver puts together, we do. (The peer
//!   waits 1 s.)
//! - At most [`MAX_DATAGRAMS`] wait, each in at most [`MAX_PIECES`] pieces, their bytes borrowed from the budget. The
//!   oldest gives way. Every fragment that is given up is counted.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::mem::size_of;

use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use wirebeat_model::{Budget, Counters, Frame, LinkType, Time};

use crate::{Packet, decode};

/// Datagrams that wait at most.
const MAX_DATAGRAMS: usize = 1024;
/// 64 KiB in the smallest fragments that a link makes (IPv6 minimum MTU 1280: 54; 576 bytes: 119), and room.
const MAX_PIECES: usize = 256;
/// How long a datagram waits for its rest, in nanoseconds of packet time.
const PATIENCE: u64 = 30_000_000_000;
/// What a datagram is charged beside its bytes.
const OVERHEAD: usize = size_of::<Datagram>();
/// A datagram's buffer larger than this is not kept for reuse.
const KEEP_BYTES: usize = 4 * 1024;
/// The largest that a length field can say.
const MAX_LEN: u32 = 65_535;

/// A datagram put together.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The datagram as a packet. `wire_len` is that of all its frames together; VLAN, hardware addresses and device are
    /// those of the frame that came first.
    pub packet: Packet<'a>,
    /// How many frames it came in, copies of fragments too.
    pub frames: u32,
    /// When the first of them came.
    pub start: Time,
}

/// RFC 791: source, destination, protocol and identification; RFC 8200: without the protocol.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Key {
    from: u128,
    to: u128,
    id: u32,
    protocol: u8,
    v6: bool,
    tunnel: u16,
}

/// Where bytes of the datagram are in `Datagram::bytes`.
#[derive(Clone, Copy)]
struct Piece {
    from: u32,
    to: u32,
    at: u32,
}

#[derive(Default)]
struct Datagram {
    key: Key,
    /// Names this use of the slot in `Defrag::line`.
    serial: u64,
    deadline: Time,
    start: Time,
    frames: u32,
    wire_bytes: u64,
    cost: usize,
    /// Known once the last fragment was seen.
    total: Option<u32>,
    have: u32,
    /// Next header and hop limit of the first fragment.
    next: u8,
    ttl: u8,
    /// Overlapping: what still comes is dropped.
    refused: bool,
    vlan: [u16; 2],
    mac: Option<([u8; 6], [u8; 6])>,
    device: u32,
    /// Sorted, not overlapping.
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
}

/// Puts fragments together.
pub struct Defrag {
    index: HashTable<u32>,
    slots: Vec<Datagram>,
    free: Vec<u32>,
    /// Slots by deadline: all wait equally long, so in order of arrival.
    line: VecDeque<(u64, u32)>,
    serial: u64,
    out: Vec<u8>,
    hasher: SeedableRandomState,
}

/// What became of a fragment.
enum Fate {
    Waits,
    Complete,
    Refused,
}

impl Defrag {
    /// No fragments yet. `seed` keeps an attacker from choosing colliding keys.
    pub fn new(seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            line: VecDeque::new(),
            serial: 0,
            out: Vec::new(),
            hasher: SeedableRandomState::with_seed(seed, foldhash::SharedSeed::global_fixed()),
        }
    }

    /// Datagrams that wait.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Takes a fragment (a packet whose `fragment` is set) and answers with the datagram when nothing is missing.
    ///
    /// `time` is the packet's, `clock` the latest of any packet so far.
    pub fn push(
        &mut self,
        packet: &Packet<'_>,
        time: Time,
        clock: Time,
        budget: &mut Budget,
        counters: &mut Counters,
    ) -> Option<Whole<'_>> {
        let fragment = packet.fragment?;
        counters.fragments += 1;
        self.expire(clock, budget, counters);
        // Not by the addresses: IPv6 can carry v4-mapped ones.
        let v6 = packet.ip_id.is_none();
        let key = Key {
            from: packet.key.sender(packet.dir).ip,
            to: packet.key.receiver(packet.dir).ip,
            id: fragment.id,
            protocol: if v6 { 0 } else { packet.key.transport().0 },
            v6,
            tunnel: packet.key.tunnel(),
        };
        // One that was cut in the capture cannot be put together; one that is no multiple of 8 long leaves a hole.
        let len = packet.payload_len;
        let end = fragment.offset.saturating_add(len);
        let header = if v6 { 0 } else { 20 };
        let aligned = !fragment.more || len.is_multiple_of(8);
        let sound = !packet.is_cut() && len > 0 && aligned && end <= MAX_LEN - header;
        if !sound {
            counters.fragments_dropped += 1;
            return None;
        }
        let index = self.find_or_start(key, packet, time, clock, budget, counters)?;
        let datagram = self.slots.get_mut(index as usize)?;
        datagram.frames += 1;
        datagram.wire_bytes += u64::from(packet.wire_len);
        if fragment.offset == 0 {
            datagram.next = packet.key.transport().0;
            datagram.ttl = packet.ttl;
        }
        let cost = packet.payload.len() + size_of::<Piece>();
        let mut room = budget.take(cost);
        while !room && self.line.front().is_some_and(|(_, i)| *i != index) {
            self.drop_oldest(budget, counters);
            room = budget.take(cost);
        }
        let datagram = self.slots.get_mut(index as usize)?;
        if !room {
            datagram.refuse(budget, counters);
            return None;
        }
        datagram.cost += cost;
        match datagram.add(fragment.offset, end, fragment.more, packet.payload) {
            Fate::Waits => {
                // What was there already costs nothing.
                let spare = datagram.cost.saturating_sub(datagram.size());
                datagram.cost -= spare;
                budget.give(spare);
                None
            }
            Fate::Refused => {
                datagram.refuse(budget, counters);
                None
            }
            Fate::Complete => {
                datagram.write(&mut self.out);
                let (frames, start) = (datagram.frames, datagram.start);
                let wire_len = u32::try_from(datagram.wire_bytes).unwrap_or(u32::MAX);
                let (vlan, mac, device) = (datagram.vlan, datagram.mac, datagram.device);
                self.remove(index, budget);
                let len = self.out.len() as u32;
                let frame =
                    Frame { time, link: LinkType::Raw, device, wire_len: len, vlan: None, data: &self.out };
                match decode(&frame) {
                    // A fragment of a fragment: IP in IP cut twice. Nobody does.
                    Ok(packet) if packet.fragment.is_some() => {
                        counters.fragments_dropped += u64::from(frames);
                        None
                    }
                    Ok(packet) => Some(Whole {
                        packet: Packet { vlan, mac, device, wire_len, ..packet },
                        frames,
                        start,
                    }),
                    Err(why) => {
                        why.count(counters);
                        None
                    }
                }
            }
        }
    }

    /// Gives up what has waited too long; [`Defrag::push`] does it too.
    pub fn expire(&mut self, clock: Time, budget: &mut Budget, counters: &mut Counters) {
        while let Some(&(serial, index)) = self.line.front() {
            let live = self.slots.get(index as usize).filter(|d| d.serial == serial);
            if live.is_some_and(|d| d.deadline > clock) {
                return;
            }
            self.drop_oldest(budget, counters);
        }
    }

    /// Gives up everything.
    pub fn finish(&mut self, budget: &mut Budget, counters: &mut Counters) {
        while !self.line.is_empty() {
            self.drop_oldest(budget, counters);
        }
    }

    fn find_or_start(
        &mut self,
        key: Key,
        packet: &Packet<'_>,
        time: Time,
        clock: Time,
        budget: &mut Budget,
        counters: &mut Counters,
    ) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        if let Some(&found) =
            self.index.find(hash, |&i| self.slots.get(i as usize).is_some_and(|d| d.key == key))
        {
            return Some(found);
        }
        while self.index.len() >= MAX_DATAGRAMS || !budget.take(OVERHEAD) {
            if self.line.is_empty() {
                counters.fragments_dropped += 1;
                return None;
            }
            self.drop_oldest(budget, counters);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Datagram::default());
            (self.slots.len() - 1) as u32
        });
        self.serial += 1;
        let datagram = self.slots.get_mut(index as usize)?;
        *datagram = Datagram {
            key,
            serial: self.serial,
            deadline: Time(clock.0.saturating_add(PATIENCE as i64)),
            start: time,
            cost: OVERHEAD,
            vlan: packet.vlan,
            mac: packet.mac,
            device: packet.device,
            pieces: std::mem::take(&mut datagram.pieces),
            bytes: std::mem::take(&mut datagram.bytes),
            ..Datagram::default()
        };
        self.line.push_back((self.serial, index));
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |&i: &u32| slots.get(i as usize).map_or(0, |d| hasher.hash_one(d.key));
        self.index.insert_unique(hash, index, rehash);
        Some(index)
    }

    /// Gives up the datagram at the front of the line, if it still waits.
    fn drop_oldest(&mut self, budget: &mut Budget, counters: &mut Counters) {
        let Some((serial, index)) = self.line.pop_front() else { return };
        if let Some(datagram) = self.slots.get(index as usize).filter(|d| d.serial == serial) {
            // Those of a refused datagram were counted as they came.
            counters.fragments_dropped += if datagram.refused { 0 } else { u64::from(datagram.frames) };
            self.remove(index, budget);
        }
    }

    fn remove(&mut self, index: u32, budget: &mut Budget) {
        let Some(datagram) = self.slots.get_mut(index as usize) else { return };
        budget.give(datagram.cost);
        datagram.cost = 0;
        datagram.serial = 0;
        datagram.forget();
        let hash = self.hasher.hash_one(datagram.key);
        if let Ok(found) = self.index.find_entry(hash, |&i| i == index) {
            found.remove();
        }
        self.free.push(index);
        // Its place in the line is empty now; a long line of empty places is not kept.
        while self
            .line
            .front()
            .is_some_and(|(s, i)| self.slots.get(*i as usize).is_none_or(|d| d.serial != *s))
        {
            self.line.pop_front();
        }
        if self.line.len() > 2 * MAX_DATAGRAMS {
            self.line.retain(|(s, i)| self.slots.get(*i as usize).is_some_and(|d| d.serial == *s));
        }
    }
}

impl Datagram {
    fn size(&self) -> usize {
        OVERHEAD + self.bytes.len() + self.pieces.len() * size_of::<Piece>()
    }

    /// Adds data for `from .. to`.
    fn add(&mut self, from: u32, to: u32, more: bool, data: &[u8]) -> Fate {
        if self.refused {
            return Fate::Refused;
        }
        if !more {
            if self.total.is_some_and(|t| t != to) {
                return Fate::Refused;
            }
            self.total = Some(to);
        }
        let mut at = self.pieces.partition_point(|p| p.to <= from);
        // What is there already, with the same bytes?
        let mut done = from;
        while let Some(p) = self.pieces.get(at).copied().filter(|p| p.from < to) {
            let (a, b) = (p.from.max(from), p.to.min(to));
            let old = self.bytes.get((p.at + a - p.from) as usize..(p.at + b - p.from) as usize);
            let exact = p.from == from && p.to == to;
            if old != data.get((a - from) as usize..(b - from) as usize) || self.key.v6 && !exact {
                return Fate::Refused;
            }
            if done < a && !self.insert(&mut at, done, a, from, data) {
                return Fate::Refused;
            }
            done = b;
            at += 1;
        }
        if done < to && !self.insert(&mut at, done, to, from, data) {
            return Fate::Refused;
        }
        let past = self.pieces.last().map_or(0, |p| p.to);
        match self.total {
            Some(total) if past > total => Fate::Refused,
            Some(total) if self.have == total => Fate::Complete,
            _ => Fate::Waits,
        }
    }

    fn insert(&mut self, at: &mut usize, from: u32, to: u32, base: u32, data: &[u8]) -> bool {
        let part = data.get((from - base) as usize..(to - base) as usize).unwrap_or_default();
        if self.pieces.len() >= MAX_PIECES {
            return false;
        }
        self.pieces.insert(*at, Piece { from, to, at: self.bytes.len() as u32 });
        self.bytes.extend_from_slice(part);
        self.have += to - from;
        *at += 1;
        true
    }

    /// Drops what is here and remembers to drop the rest.
    fn refuse(&mut self, budget: &mut Budget, counters: &mut Counters) {
        counters.fragments_dropped += if self.refused { 1 } else { u64::from(self.frames) };
        self.refused = true;
        budget.give(self.cost.saturating_sub(OVERHEAD));
        self.cost = self.cost.min(OVERHEAD);
        self.forget();
    }

    fn forget(&mut self) {
        self.pieces.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_BYTES);
    }

    /// The datagram as one raw IP packet, without options or extension headers before the fragment header.
    fn write(&self, out: &mut Vec<u8>) {
        let len = self.total.unwrap_or(0);
        out.clear();
        if self.key.v6 {
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
            out.extend_from_slice(&[self.next, self.ttl]);
            out.extend_from_slice(&self.key.from.to_be_bytes());
            out.extend_from_slice(&self.key.to.to_be_bytes());
        } else {
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&(len as u16 + 20).to_be_bytes());
            out.extend_from_slice(&(self.key.id as u16).to_be_bytes());
            out.extend_from_slice(&[0, 0, self.ttl, self.next, 0, 0]);
            out.extend_from_slice(&(self.key.from as u32).to_be_bytes());
            out.extend_from_slice(&(self.key.to as u32).to_be_bytes());
        }
        for p in &self.pieces {
            let (at, len) = (p.at as usize, (p.to - p.from) as usize);
            out.extend_from_slice(self.bytes.get(at..at + len).unwrap_or_default());
        }
    }
}
