//! Surgery on TCP segments inside frames. Checksums are left wrong: nothing here looks at them.

use wirebeat_model::LinkType;

use super::pipeline::Kept;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// Where the parts of a segment are.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Where IP begins.
    ip: usize,
    /// Where TCP begins.
    tcp: usize,
    /// Where its data begins and ends.
    data: usize,
    end: usize,
    /// Addresses and ports of the connection, the smaller end first.
    pub connection: (Vec<u8>, Vec<u8>),
    /// Whether the smaller end has sent it.
    pub forward: bool,
}

/// The segment in a frame, if there is one and it is whole.
pub fn segment(frame: &Kept) -> Option<Segment> {
    let d = &frame.data[..];
    let be = |at: usize| Some(usize::from(u16::from_be_bytes([*d.get(at)?, *d.get(at + 1)?])));
    let ip = match frame.link {
        LinkType::Ethernet => {
            let mut at = 12;
            while matches!(be(at)?, 0x8100 | 0x88a8) {
                at += 4;
            }
            matches!(be(at)?, 0x0800 | 0x86dd).then_some(at + 2)?
        }
        LinkType::LinuxSll => 16,
        LinkType::Null | LinkType::Loop => 4,
        LinkType::Raw => 0,
        _ => return None,
    };
    let (tcp, addresses, end) = match d.get(ip)? >> 4 {
        4 if *d.get(ip + 9)? == 6 && be(ip + 6)? & 0x3fff == 0 => {
            (ip + usize::from(d[ip] & 15) * 4, ip + 12, ip + be(ip + 2)?)
        }
        6 if *d.get(ip + 6)? == 6 => (ip + 40, ip + 8, ip + 40 + be(ip + 4)?),
        _ => return None,
    };
    let each = (if d[ip] >> 4 == 4 { 4 } else { 16 }) as usize;
    let data = tcp + usize::from(*d.get(tcp + 12)? >> 4) * 4;
    if end > d.len() || data > end {
        return None;
    }
    let side = |n: usize| [&d[addresses + n * each..][..each], &d[tcp + n * 2..][..2]].concat();
    let (from, to) = (side(0), side(1));
    let forward = from <= to;
    let connection = if forward { (from, to) } else { (to, from) };
    Some(Segment { ip, tcp, data, end, connection, forward })
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

impl Segment {
    pub fn seq(&self, frame: &Kept) -> u32 {
        be32(&frame.data[self.tcp + 4..])
    }

    pub fn ack(&self, frame: &Kept) -> u32 {
        be32(&frame.data[self.tcp + 8..])
    }

    pub fn flags(&self, frame: &Kept) -> u8 {
        frame.data[self.tcp + 13]
    }

    /// Length of its data.
    pub fn len(&self) -> usize {
        self.end - self.data
    }

    /// Sequence number behind it.
    pub fn next(&self, frame: &Kept) -> u32 {
        let flags = self.flags(frame);
        let more = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        self.seq(frame).wrapping_add(self.len() as u32 + more)
    }

    pub fn set_seq(&self, frame: &mut Kept, seq: u32) {
        frame.data[self.tcp + 4..][..4].copy_from_slice(&seq.to_be_bytes());
    }

    pub fn set_ack(&self, frame: &mut Kept, ack: u32) {
        frame.data[self.tcp + 8..][..4].copy_from_slice(&ack.to_be_bytes());
    }

    /// A segment with this part of the data, as if it had been sent so. Only the last has FIN.
    pub fn part(&self, frame: &Kept, from: usize, to: usize) -> Kept {
        let mut part = frame.clone();
        let gone = self.len() - (to - from);
        part.data.truncate(self.data);
        part.data.extend_from_slice(&frame.data[self.data + from..self.data + to]);
        part.wire_len = part.data.len() as u32;
        let at = if frame.data[self.ip] >> 4 == 4 { self.ip + 2 } else { self.ip + 4 };
        let length = u16::from_be_bytes([frame.data[at], frame.data[at + 1]]) - gone as u16;
        part.data[at..at + 2].copy_from_slice(&length.to_be_bytes());
        self.set_seq(&mut part, self.seq(frame).wrapping_add(from as u32));
        if to < self.len() {
            part.data[self.tcp + 13] &= !FIN;
        }
        part
    }

    /// The same segment with other data.
    pub fn other(&self, frame: &Kept) -> Kept {
        let mut other = frame.clone();
        other.data[self.data..self.end].iter_mut().for_each(|b| *b ^= 0x15);
        other
    }
}
