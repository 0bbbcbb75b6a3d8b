//! The classic BPF machine in user space, so that a filter means the same for files as for the ring.

use wirebeat_model::{Frame, LinkType};

use super::bpf::{
    ABS, AD, AD_HATYPE, AD_IFINDEX, AD_PKTTYPE, AD_PROTOCOL, AD_VLAN_TAG, AD_VLAN_TAG_PRESENT, ADD, ALU, AND,
    B, H, IMM, IND, Insn, JA, JEQ, JGE, JGT, JMP, JSET, LD, LDX, LEN, LINK, LSH, MEM, MISC, MUL, NET, RET,
    RSH, ST, STX, TAX, TXA, W, X, XOR,
};

/// A frame as the kernel would show it to a filter: the outer VLAN tag taken out, the network header known.
struct View<'a> {
    data: &'a [u8],
    wire_len: u32,
    device: u32,
    net: usize,
    protocol: u16,
    tag: Option<u16>,
    ether: bool,
    /// Where offsets that are relative to nothing count from, and what kind of packet it claims to be.
    start: usize,
    packet_type: u32,
}

/// Where a program meets a frame, which decides what its plain offsets count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file: from the start of the frame.
    File,
    /// In the kernel's fan-out on the way in: from the network header.
    #[cfg(test)]
    Incoming,
    /// On the way out: from the start of the frame.
    #[cfg(test)]
    Outgoing,
}

impl<'a> View<'a> {
    fn new(place: Place, frame: &Frame<'a>) -> Self {
        let data = frame.data;
        let (net, protocol) = match frame.link {
            LinkType::Ethernet => (14, half(data, 12)),
            LinkType::LinuxSll => (16, half(data, 14)),
            LinkType::LinuxSll2 => (20, half(data, 0)),
            LinkType::Null => (4, family(data.get(..4).map(|b| [b[0], b[1], b[2], b[3]]), false)),
            LinkType::Loop => (4, family(data.get(..4).map(|b| [b[0], b[1], b[2], b[3]]), true)),
            LinkType::Raw => (0, data.first().map_or(0, |b| by_version(b >> 4))),
            LinkType::Other(_) => (0, 0),
        };
        let mut view = Self {
            data,
            wire_len: frame.wire_len,
            device: frame.device,
            net,
            protocol,
            tag: frame.vlan,
            ether: frame.link == LinkType::Ethernet,
            start: 0,
            packet_type: 0,
        };
        // What the kernel's skb_vlan_untag does, for the two tag protocols it knows.
        if view.tag.is_none() && matches!(protocol, 0x8100 | 0x88a8) && data.len() >= net + 4 {
            view.tag = Some(half(data, net));
            view.protocol = half(data, net + 2);
            view.net += 4;
        }
        if view.protocol < 0x600 && view.ether {
            view.protocol = 4; // ETH_P_802_2
        }
        match place {
            Place::File => {}
            #[cfg(test)]
            Place::Incoming => view.start = view.net,
            #[cfg(test)]
            Place::Outgoing => view.packet_type = 4, // PACKET_OUTGOING
        }
        view
    }

    /// A load of 1, 2 or 4 bytes at a kernel-style offset.
    #[inline]
    fn load(&self, at: u32, size: usize) -> Option<u32> {
        let index = if at >= AD {
            return self.ancillary(at);
        } else if at >= NET {
            self.net + (at - NET) as usize
        } else if at >= LINK {
            (at - LINK) as usize
        } else {
            self.start + at as usize
        };
        let bytes = self.data.get(index..index.checked_add(size)?)?;
        Some(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    fn ancillary(&self, at: u32) -> Option<u32> {
        Some(match at {
            AD_PROTOCOL => u32::from(self.protocol),
            AD_IFINDEX => self.device,
            AD_PKTTYPE => self.packet_type,
            AD_HATYPE if self.ether => 1, // ARPHRD_ETHER
            AD_HATYPE => 0xffff,
            AD_VLAN_TAG => u32::from(self.tag.unwrap_or(0)),
            AD_VLAN_TAG_PRESENT => u32::from(self.tag.is_some()),
            _ => 0,
        })
    }
}

fn half(data: &[u8], at: usize) -> u16 {
    data.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]))
}

fn by_version(version: u8) -> u16 {
    match version {
        4 => 0x0800,
        6 => 0x86dd,
        _ => 0,
    }
}

/// BSD loopback: AF_INET is 2 everywhere, AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (macOS) or 10 (Linux).
fn family(word: Option<[u8; 4]>, network_order: bool) -> u16 {
    let Some(word) = word else { return 0 };
    let big = u32::from_be_bytes(word);
    let n = if !network_order && big > 0xffff { big.swap_bytes() } else { big };
    match n {
        2 => 0x0800,
        10 | 24 | 28 | 30 => 0x86dd,
        _ => 0,
    }
}

/// Runs a program. What it returns: 0 to refuse the frame, else how many bytes of it to keep.
///
/// Jumps go forward only, so it ends after at most `program.len()` steps; anything unknown refuses.
pub(crate) fn run(program: &[Insn], frame: &Frame<'_>) -> u32 {
    run_at(Place::File, program, frame)
}

/// The same, as if elsewhere.
pub(crate) fn run_at(place: Place, program: &[Insn], frame: &Frame<'_>) -> u32 {
    let view = View::new(place, frame);
    execute(program, &view).unwrap_or(0)
}

fn execute(program: &[Insn], view: &View<'_>) -> Option<u32> {
    const JUMP_ALWAYS: u16 = JMP | JA;
    let (mut a, mut x) = (0u32, 0u32);
    let mut cells = [0u32; 16];
    let mut at = 0usize;
    loop {
        let i = program.get(at)?;
        at += 1;
        let operand = if i.code & X != 0 { x } else { i.k };
        match i.code & 0x07 {
            LD | LDX => {
                let value = load(i, view, x, &cells)?;
                if i.code & 0x07 == LD { a = value } else { x = value }
            }
            ST => *cells.get_mut(i.k as usize)? = a,
            STX => *cells.get_mut(i.k as usize)? = x,
            ALU => {
                a = match i.code & 0xf0 {
                    ADD => a.wrapping_add(operand),
                    MUL => a.wrapping_mul(operand),
                    AND => a & operand,
                    LSH => a.checked_shl(operand).unwrap_or(0),
                    RSH => a.checked_shr(operand).unwrap_or(0),
                    XOR => a ^ operand,
                    _ => return None,
                }
            }
            JMP => {
                if i.code == JUMP_ALWAYS {
                    at = at.checked_add(i.k as usize)?;
                    continue;
                }
                let holds = match i.code & 0xf0 {
                    JEQ => a == operand,
                    JGT => a > operand,
                    JGE => a >= operand,
                    JSET => a & operand != 0,
                    _ => return None,
                };
                at += usize::from(if holds { i.jt } else { i.jf });
            }
            RET => return Some(if i.code & 0x18 == 0x10 { a } else { i.k }),
            MISC => match i.code & 0xf8 {
                TAX => x = a,
                TXA => a = x,
                _ => return None,
            },
            _ => return None,
        }
    }
}

#[inline]
fn load(i: &Insn, view: &View<'_>, x: u32, cells: &[u32; 16]) -> Option<u32> {
    let size = match i.code & 0x18 {
        W => 4,
        H => 2,
        B => 1,
        _ => return None,
    };
    match i.code & 0xe0 {
        IMM => Some(i.k),
        ABS => view.load(i.k, size),
        IND => view.load(x.wrapping_add(i.k), size),
        MEM => cells.get(i.k as usize).copied(),
        LEN => Some(view.wire_len),
        _ => None,
    }
}
