//! Packets on their way from one thread to another: many in one buffer, so that a queue is touched once per batch.

use wirebeat_model::{Dir, FlowKey, Time};
use wirebeat_net::wire::{TcpFlags, TcpHeader};
use wirebeat_net::{L4, Packet};

use crate::shard::{Arrival, Note};

/// Packets and notes for one shard, in order.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// The clock at its end: no later packet is older.
    pub clock: Option<Time>,
}

#[derive(Debug)]
enum Item {
    Packet(Parcel),
    Note(Note),
}

/// A packet without its bytes.
#[derive(Debug)]
struct Parcel {
    key: FlowKey,
    dir: Dir,
    l4: Transport,
    header: (u32, u32),
    payload: (u32, u32),
    payload_len: u32,
    vlan: [u16; 2],
    mac: Option<([u8; 6], [u8; 6])>,
    ip_id: Option<u16>,
    ttl: u8,
    wire_len: u32,
    device: u32,
    at: Arrival,
}

#[derive(Debug)]
enum Transport {
    Tcp { seq: u32, ack: u32, flags: TcpFlags, window: u16 },
    Udp,
    Icmp { kind: u8, code: u8 },
    Other,
}

/// What comes out of a batch.
pub enum Content<'a> {
    /// A packet.
    Packet(Packet<'a>, Arrival),
    /// A note.
    Note(Note),
}

impl Batch {
    /// How many items it holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them are packets.
    pub fn packets(&self) -> usize {
        self.items.iter().filter(|i| matches!(i, Item::Packet(_))).count()
    }

    /// Bytes it holds.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a packet.
    pub fn push(&mut self, p: &Packet<'_>, at: Arrival) {
        let mut keep = |bytes: &[u8]| {
            let start = self.bytes.len() as u32;
            self.bytes.extend_from_slice(bytes);
            (start, self.bytes.len() as u32)
        };
        let payload = keep(p.payload);
        let (l4, header) = match p.l4 {
            L4::Tcp(t) => {
                (Transport::Tcp { seq: t.seq, ack: t.ack, flags: t.flags, window: t.window }, keep(t.header))
            }
            L4::Udp => (Transport::Udp, (0, 0)),
            L4::Icmp { kind, code } => (Transport::Icmp { kind, code }, (0, 0)),
            L4::Other => (Transport::Other, (0, 0)),
        };
        self.items.push(Item::Packet(Parcel {
            key: p.key,
            dir: p.dir,
            l4,
            header,
            payload,
            payload_len: p.payload_len,
            vlan: p.vlan,
            mac: p.mac,
            ip_id: p.ip_id,
            ttl: p.ttl,
            wire_len: p.wire_len,
            device: p.device,
            at,
        }));
    }

    /// Appends a note.
    pub fn push_note(&mut self, note: Note) {
        self.items.push(Item::Note(note));
    }

    /// Takes everything out, in order. The memory stays for the next use.
    pub fn drain(&mut self, mut f: impl FnMut(Content<'_>)) {
        let bytes = std::mem::take(&mut self.bytes);
        let slice = |(from, to): (u32, u32)| &bytes[from as usize..to as usize];
        for item in self.items.drain(..) {
            match item {
                Item::Note(note) => f(Content::Note(note)),
                Item::Packet(p) => {
                    let l4 = match p.l4 {
                        Transport::Tcp { seq, ack, flags, window } => {
                            L4::Tcp(TcpHeader { seq, ack, flags, window, header: slice(p.header) })
                        }
                        Transport::Udp => L4::Udp,
                        Transport::Icmp { kind, code } => L4::Icmp { kind, code },
                        Transport::Other => L4::Other,
                    };
                    let packet = Packet {
                        key: p.key,
                        dir: p.dir,
                        l4,
                        payload: slice(p.payload),
                        payload_len: p.payload_len,
                        vlan: p.vlan,
                        mac: p.mac,
                        ip_id: p.ip_id,
                        ttl: p.ttl,
                        fragment: None,
                        wire_len: p.wire_len,
                        device: p.device,
                    };
                    f(Content::Packet(packet, p.at));
                }
            }
        }
        self.bytes = bytes;
        self.bytes.clear();
        self.clock = None;
    }
}
