//! The same packet seen on more than one interface: bridge and uplink, or both sides of a published container port.
//!
//! Only consulted when several devices capture. A packet is the same when its headers' identification, numbers and
//! lengths (or its first bytes) are, within 10 ms. Each further device accounts for one copy: a second time on a device
//! that has it already is a retransmission, a packet of its own.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::SeedableRandomState;
use wirebeat_model::{Dir, FlowKey, Time};

use crate::{L4, Packet};

/// What is known of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not seen before.
    New,
    /// The same packet was seen on another device.
    Duplicate,
    /// The same packet was seen on another device under another name of one endpoint (destination NAT): a packet of this
    /// flow. [`twin_flips`] tells whether the directions have changed names.
    TwinOf(FlowKey),
}

/// How far apart copies may be, in nanoseconds. Devices are read in turn, so either may come first.
const WINDOW: u64 = 10_000_000;
/// Sets of packets, and packets in a set: 500 k packets/s for 10 ms are 5,000.
const SETS: usize = 2048;
const WAYS: usize = 8;
/// Devices that one packet may pass.
const DEVICES: usize = 8;
/// Bytes of a datagram that are compared.
const COMPARED: usize = 64;

#[derive(Clone, Copy)]
struct Entry {
    key: FlowKey,
    dir: Dir,
    time: Time,
    devices: [u32; DEVICES],
    seen: u8,
}

/// Remembers the packets of the last moments: some 2 MB, whatever comes.
pub struct Dedup {
    /// By set: what packets are compared by first, one cache line a set. 0 is none.
    prints: Vec<[u64; WAYS]>,
    /// `SETS` × `WAYS`; within a set the oldest is replaced.
    entries: Vec<Option<Entry>>,
    turn: Vec<u8>,
    hasher: SeedableRandomState,
}

/// How two flows that are one on both sides of a destination NAT relate: they share one endpoint. `Some(true)` when the
/// direction AtoB of one is BtoA of the other, `None` when they do not share exactly one endpoint.
pub fn twin_flips(one: &FlowKey, other: &FlowKey) -> Option<bool> {
    if one.transport() != other.transport() || one == other {
        return None;
    }
    let same = |d, e| one.sender(d) == other.sender(e);
    if same(Dir::AtoB, Dir::AtoB) || same(Dir::BtoA, Dir::BtoA) {
        Some(false)
    } else if same(Dir::AtoB, Dir::BtoA) || same(Dir::BtoA, Dir::AtoB) {
        Some(true)
    } else {
        None
    }
}

impl Dedup {
    /// Nothing seen yet. `seed` keeps an attacker from choosing colliding packets.
    pub fn new(seed: u64) -> Self {
        Self {
            prints: vec![[0; WAYS]; SETS],
            entries: vec![None; SETS * WAYS],
            turn: vec![0; SETS],
            hasher: SeedableRandomState::with_seed(seed, foldhash::SharedSeed::global_fixed()),
        }
    }

    /// Whether this packet was seen on another device.
    pub fn check(&mut self, packet: &Packet<'_>, device: u32, time: Time) -> Seen {
        let print = self.print(packet);
        let set = (print >> 32) as usize % SETS;
        let Some(prints) = self.prints.get_mut(set) else { return Seen::New };
        let Some(ways) = self.entries.get_mut(set * WAYS..(set + 1) * WAYS) else { return Seen::New };
        // The oldest copy that this device does not account for; one with the same names before one with others.
        let mut found: Option<(bool, Time, &mut Entry)> = None;
        for (_, entry) in prints.iter().zip(ways.iter_mut()).filter(|(p, _)| **p == print) {
            let Some(entry) = entry else { continue };
            let near = time.since(entry.time).max(entry.time.since(time)) <= WINDOW;
            if !near || entry.has(device) {
                continue;
            }
            let renamed = entry.key != packet.key || entry.dir != packet.dir;
            if renamed && !is_twin(entry, packet) {
                continue;
            }
            if found.as_ref().is_none_or(|(r, t, _)| (renamed, entry.time) < (*r, *t)) {
                found = Some((renamed, entry.time, entry));
            }
        }
        if let Some((renamed, _, entry)) = found {
            entry.add(device);
            return if renamed { Seen::TwinOf(entry.key) } else { Seen::Duplicate };
        }
        let mut entry = Entry { key: packet.key, dir: packet.dir, time, devices: [0; DEVICES], seen: 0 };
        entry.add(device);
        if let Some(turn) = self.turn.get_mut(set) {
            let way = usize::from(*turn) % WAYS;
            *turn = turn.wrapping_add(1);
            ways[way] = Some(entry);
            prints[way] = print;
        }
        Seen::New
    }

    /// What stays the same when a router renames an endpoint: everything but addresses, ports, TTL and checksums.
    fn print(&self, packet: &Packet<'_>) -> u64 {
        let mut h = self.hasher.build_hasher();
        h.write_u64(
            u64::from(packet.ip_id.unwrap_or(0)) << 48
                | u64::from(packet.key.transport().0) << 40
                | u64::from(packet.payload_len & 0xff_ffff) << 16
                | u64::from(packet.key.tunnel()),
        );
        if let Some(f) = packet.fragment {
            h.write_u64(u64::from(f.id) << 32 | u64::from(f.offset) << 1 | u64::from(f.more));
        }
        if let L4::Tcp(tcp) = packet.l4 {
            h.write_u64(u64::from(tcp.seq) << 32 | u64::from(tcp.ack));
            h.write_u8(tcp.flags.0);
        } else {
            h.write(&packet.payload[..packet.payload.len().min(COMPARED)]);
        }
        h.finish().max(1)
    }
}

/// Whether the packet differs from the entry's in the name of one endpoint only.
///
/// Only TCP and UDP: without ports an address alone is too weak a likeness; so are a few bytes without an IP id.
fn is_twin(entry: &Entry, packet: &Packet<'_>) -> bool {
    let key = &packet.key;
    let ports = match packet.l4 {
        L4::Tcp(_) => true,
        L4::Udp => packet.payload_len >= 8 || packet.ip_id.is_some_and(|id| id != 0),
        _ => false,
    };
    let sender = entry.key.sender(entry.dir) == key.sender(packet.dir);
    let receiver = entry.key.receiver(entry.dir) == key.receiver(packet.dir);
    ports && entry.key.transport() == key.transport() && sender != receiver
}

impl Entry {
    fn has(&self, device: u32) -> bool {
        self.devices[..usize::from(self.seen)].contains(&device)
    }

    fn add(&mut self, device: u32) {
        if let Some(free) = self.devices.get_mut(usize::from(self.seen)) {
            *free = device;
            self.seen += 1;
        }
    }
}
