//! From the tree to classic BPF that runs on any link type.
//!
//! Everything is read relative to the network header, whose type the kernel knows (`SKF_AD_PROTOCOL`), so one program
//! fits Ethernet, tunnels without a link header and frames whose VLAN tag the kernel took out. Up to two more tags
//! that are still in the frame are looked through.

use super::bpf::{
    ABS, AD_HATYPE, AD_PROTOCOL, AD_VLAN_TAG, AD_VLAN_TAG_PRESENT, ADD, ALU, AND, B, Builder, H, IMM, IND,
    JEQ, JGE, JGT, JSET, LD, LDX, LEN, LINK, LSH, Label, MEM, MISC, NET, ST, STX, TAX, TXA, W, X,
};
use super::expr::{End, Expr, Net, Test, Transports};

/// Cell: the EtherType behind the tags.
pub(crate) const TYPE: u32 = 0;
/// Cell: how far behind the kernel's network header the real one is (0, 4 or 8).
pub(crate) const BASE: u32 = 1;
/// Cell: the first tag found in the frame, or [`NO_TAG`].
const TAG: u32 = 2;
const NO_TAG: u32 = 0x1_0000;

pub(crate) const IPV4: u32 = 0x0800;
pub(crate) const IPV6: u32 = 0x86dd;
/// IPv6 fragment header (RFC 8200 section 4.5).
const FRAGMENT: u32 = 44;

/// Fills the cells that every test relies on.
pub(crate) fn prologue(b: &mut Builder) {
    let done = b.label();
    b.op(LD | IMM, NO_TAG);
    b.op(ST, TAG);
    b.op(LDX | IMM, 0);
    b.op(LD | W | ABS, AD_PROTOCOL);
    for level in 0..2 {
        let tagged = b.label();
        for tpid in [0x8100, 0x88a8, 0x9100] {
            b.jump_if(JEQ, tpid, tagged);
        }
        b.goto(done);
        b.here(tagged);
        if level == 0 {
            b.op(LD | H | IND, NET);
            b.op(ST, TAG);
        }
        b.op(LD | H | IND, NET.wrapping_add(2));
        b.op(LDX | IMM, 4 * (level + 1));
    }
    b.here(done);
    b.op(ST, TYPE);
    b.op(STX, BASE);
}

/// Code that jumps to `yes` or `no`. The prologue has run.
pub(crate) fn condition(b: &mut Builder, expr: &Expr, yes: Label, no: Label) {
    match expr {
        Expr::And(parts) => {
            for part in parts {
                let next = b.label();
                condition(b, part, next, no);
                b.here(next);
            }
            b.goto(yes);
        }
        Expr::Or(parts) => {
            for part in parts {
                let next = b.label();
                condition(b, part, yes, next);
                b.here(next);
            }
            b.goto(no);
        }
        Expr::Not(part) => condition(b, part, no, yes),
        Expr::Test(test) => one(b, test, yes, no),
    }
}

fn one(b: &mut Builder, test: &Test, yes: Label, no: Label) {
    match test {
        Test::EtherType(number) => {
            b.op(LD | MEM, TYPE);
            b.jump(JEQ, u32::from(*number), yes, no);
        }
        Test::Protocol { net, number } => protocol(b, *net, u32::from(*number), yes, no),
        Test::V4 { net, end, address, mask } => {
            let (kind, source, destination) = match net {
                Net::Arp(kind) => (u32::from(*kind), 14, 24),
                _ => (IPV4, 12, 16),
            };
            enter(b, kind, no);
            ends(b, *end, yes, no, |b, which, yes, no| {
                let at = if which == End::Src { source } else { destination };
                masked(b, at, *address, *mask, yes, no);
            });
        }
        Test::V6 { end, address, mask } => {
            enter(b, IPV6, no);
            ends(b, *end, yes, no, |b, which, yes, no| {
                let at = if which == End::Src { 8 } else { 24 };
                for word in 0..4u32 {
                    let shift = 96 - 32 * word;
                    let (address, mask) = ((address >> shift) as u32, (mask >> shift) as u32);
                    if mask != 0 {
                        let next = b.label();
                        masked(b, at + 4 * word, address, mask, next, no);
                        b.here(next);
                    }
                }
                b.goto(yes);
            });
        }
        Test::Port { transports, end, ranges } => ports(b, *transports, *end, ranges, yes, no),
        Test::Vlan(id) => vlan(b, *id, yes, no),
        Test::Mac { end, address } => mac(b, *end, *address, yes, no),
        Test::AtMost(n) => {
            b.op(LD | W | LEN, 0);
            b.jump(JGT, *n, no, yes);
        }
        Test::AtLeast(n) => {
            b.op(LD | W | LEN, 0);
            b.jump(JGE, *n, yes, no);
        }
        Test::Fragment => {
            let v6 = b.label();
            b.op(LDX | MEM, BASE);
            b.op(LD | MEM, TYPE);
            b.jump_unless(JEQ, IPV4, v6);
            b.op(LD | H | IND, NET.wrapping_add(6));
            b.jump(JSET, 0x3fff, yes, no);
            b.here(v6);
            b.jump_unless(JEQ, IPV6, no);
            b.op(LD | B | IND, NET.wrapping_add(6));
            b.jump(JEQ, FRAGMENT, yes, no);
        }
    }
}

/// Leaves to `no` unless the packet is of EtherType `kind`; then the index register holds the base.
fn enter(b: &mut Builder, kind: u32, no: Label) {
    b.op(LD | MEM, TYPE);
    b.jump_unless(JEQ, kind, no);
    b.op(LDX | MEM, BASE);
}

/// Compares the word at `at` of the network header, of which the index register holds the base.
fn masked(b: &mut Builder, at: u32, address: u32, mask: u32, yes: Label, no: Label) {
    b.op(LD | W | IND, NET.wrapping_add(at));
    if mask != u32::MAX {
        b.op(ALU | AND, mask);
    }
    b.jump(JEQ, address & mask, yes, no);
}

/// Combines a test of one end as the qualifier says.
fn ends(
    b: &mut Builder,
    end: End,
    yes: Label,
    no: Label,
    mut each: impl FnMut(&mut Builder, End, Label, Label),
) {
    match end {
        End::Src | End::Dst => each(b, end, yes, no),
        End::Either => {
            let next = b.label();
            each(b, End::Src, yes, next);
            b.here(next);
            each(b, End::Dst, yes, no);
        }
        End::Both => {
            let next = b.label();
            each(b, End::Src, next, no);
            b.here(next);
            each(b, End::Dst, yes, no);
        }
    }
}

fn protocol(b: &mut Builder, net: Net, number: u32, yes: Label, no: Label) {
    if net == Net::V4 {
        enter(b, IPV4, no);
        b.op(LD | B | IND, NET.wrapping_add(9));
        b.jump(JEQ, number, yes, no);
    } else {
        enter(b, IPV6, no);
        b.op(LD | B | IND, NET.wrapping_add(6));
        b.jump_if(JEQ, number, yes);
        b.jump_unless(JEQ, FRAGMENT, no);
        b.op(LD | B | IND, NET.wrapping_add(40));
        b.jump(JEQ, number, yes, no);
    }
}

fn ports(b: &mut Builder, transports: Transports, end: End, ranges: &[(u16, u16)], yes: Label, no: Label) {
    let (v6, compare, v4_ports) = (b.label(), b.label(), b.label());
    b.op(LDX | MEM, BASE);
    b.op(LD | MEM, TYPE);
    b.jump_unless(JEQ, IPV4, v6);
    b.op(LD | B | IND, NET.wrapping_add(9));
    for number in transports.numbers() {
        b.jump_if(JEQ, u32::from(number), v4_ports);
    }
    b.goto(no);
    b.here(v4_ports);
    // Only the first fragment has ports.
    b.op(LD | H | IND, NET.wrapping_add(6));
    b.jump_if(JSET, 0x1fff, no);
    b.op(LD | B | IND, NET);
    b.op(ALU | AND, 0x0f);
    b.op(ALU | LSH, 2);
    b.op(ALU | ADD | X, 0);
    b.op(MISC | TAX, 0);
    b.goto(compare);

    b.here(v6);
    b.jump_unless(JEQ, IPV6, no);
    b.op(LD | B | IND, NET.wrapping_add(6));
    let v6_ports = b.label();
    for number in transports.numbers() {
        b.jump_if(JEQ, u32::from(number), v6_ports);
    }
    b.goto(no);
    b.here(v6_ports);
    b.op(LDX | MEM, BASE);
    b.op(MISC | TXA, 0);
    b.op(ALU | ADD, 40);
    b.op(MISC | TAX, 0);

    b.here(compare);
    let ranges = merged(ranges);
    ends(b, end, yes, no, |b, which, yes, no| {
        b.op(LD | H | IND, NET.wrapping_add(if which == End::Src { 0 } else { 2 }));
        member(b, &ranges, yes, no);
    });
}

/// Sorts ranges and joins those that touch.
pub(crate) fn merged<T: Copy + Ord + Into<u32>>(ranges: &[(T, T)]) -> Vec<(u32, u32)> {
    let mut sorted: Vec<(u32, u32)> = ranges.iter().map(|(lo, hi)| ((*lo).into(), (*hi).into())).collect();
    sorted.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
    for (lo, hi) in sorted {
        match out.last_mut() {
            Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
            _ => out.push((lo, hi)),
        }
    }
    out
}

/// Whether the accumulator lies in one of the sorted ranges: a search tree, so many ports cost little.
pub(crate) fn member(b: &mut Builder, ranges: &[(u32, u32)], yes: Label, no: Label) {
    if ranges.len() > 3 {
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let upper = b.label();
        b.jump_if(JGE, high[0].0, upper);
        member(b, low, yes, no);
        b.here(upper);
        member(b, high, yes, no);
        return;
    }
    for (lo, hi) in ranges {
        if lo == hi {
            b.jump_if(JEQ, *lo, yes);
        } else {
            b.jump_unless(JGE, *lo, no);
            let above = b.label();
            b.jump(JGT, *hi, above, yes);
            b.here(above);
        }
    }
    b.goto(no);
}

fn vlan(b: &mut Builder, id: Option<u16>, yes: Label, no: Label) {
    let inner = b.label();
    b.op(LD | W | ABS, AD_VLAN_TAG_PRESENT);
    match id {
        None => {
            b.jump(JEQ, 0, inner, yes);
            b.here(inner);
            b.op(LD | MEM, TAG);
            b.jump(JEQ, NO_TAG, no, yes);
        }
        Some(id) => {
            let id = u32::from(id);
            b.jump_if(JEQ, 0, inner);
            b.op(LD | W | ABS, AD_VLAN_TAG);
            b.op(ALU | AND, 0x0fff);
            b.jump_if(JEQ, id, yes);
            b.here(inner);
            b.op(LD | MEM, TAG);
            // Keeps the bit of NO_TAG, which no id has.
            b.op(ALU | AND, 0x1_0fff);
            b.jump(JEQ, id, yes, no);
        }
    }
}

fn mac(b: &mut Builder, end: End, address: [u8; 6], yes: Label, no: Label) {
    let [a0, a1, a2, a3, a4, a5] = address;
    let ether = b.label();
    b.op(LD | W | ABS, AD_HATYPE);
    b.jump_if(JEQ, u32::from(libc::ARPHRD_ETHER), ether);
    b.jump_unless(JEQ, u32::from(libc::ARPHRD_LOOPBACK), no);
    b.here(ether);
    ends(b, end, yes, no, |b, which, yes, no| {
        let at = LINK.wrapping_add(if which == End::Src { 6 } else { 0 });
        b.op(LD | W | ABS, at.wrapping_add(2));
        b.jump_unless(JEQ, u32::from_be_bytes([a2, a3, a4, a5]), no);
        b.op(LD | H | ABS, at);
        b.jump(JEQ, u32::from_be_bytes([0, 0, a0, a1]), yes, no);
    });
}
