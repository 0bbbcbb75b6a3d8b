//! The two programs that the kernel runs for each frame: which shard, and whether at all.

use std::net::IpAddr;

use super::Exclusion;
use crate::filter::Filter;
use crate::filter::bpf::{
    ABS, AD_HATYPE, AD_IFINDEX, AD_PKTTYPE, AD_PROTOCOL, ADD, ALU, AND, B, Builder, H, IND, Insn, JEQ, JGT,
    JSET, LD, LDX, LSH, Label, MEM, MISC, MUL, NET, RET, RSH, ST, TAX, TXA, W, X, XOR,
};
use crate::filter::compile::{self, BASE, IPV4, IPV6, TYPE};
use crate::filter::expr::{End, Expr, Net, Test, Transports};

/// `PACKET_OUTGOING` of linux/if_packet.h.
const OUTGOING: u32 = 4;

// Cells; 0 to 2 are the prologue's.
const FROM: u32 = 4;
const TO: u32 = 5;
const FROM_PORT: u32 = 6;

/// `FlowKey::shard_hash` of the outermost IP packet, which the kernel takes modulo the number of sockets.
///
/// Differs from it only where the kernel cannot look: tunnels, IPv6 extension headers, more than three VLAN tags, IPv4
/// addresses mapped into IPv6 headers, and fragments of both versions, which all go by their addresses, so that one
/// shard has all of a datagram. Such frames are handed on in user space.
///
/// The common cases are read at positive offsets, which the kernel's compiler does in line; where those count from
/// depends on the direction. Everything else goes the general way, relative to the network header, by function calls:
/// 155 ns a frame where the short way takes a fraction.
pub(crate) fn shard_program() -> Option<Vec<Insn>> {
    let mut b = Builder::default();
    let l = Places { general: b.label(), plain: b.label(), compare: b.label(), other: b.label() };
    let (v6, v4_out, v6_out, v4_ether, v6_ether) = (b.label(), b.label(), b.label(), b.label(), b.label());
    b.op(LD | W | ABS, AD_PROTOCOL);
    b.jump_unless(JEQ, IPV4, v6);
    b.op(LD | W | ABS, AD_PKTTYPE);
    b.jump_if(JEQ, OUTGOING, v4_out);
    short_v4(&mut b, 0, &l);
    b.here(v4_out);
    when_ethernet(&mut b, v4_ether, l.general);
    b.here(v4_ether);
    short_v4(&mut b, 14, &l);
    b.here(v6);
    b.jump_unless(JEQ, IPV6, l.general);
    b.op(LD | W | ABS, AD_PKTTYPE);
    b.jump_if(JEQ, OUTGOING, v6_out);
    short_v6(&mut b, 0, &l);
    b.here(v6_out);
    when_ethernet(&mut b, v6_ether, l.general);
    b.here(v6_ether);
    short_v6(&mut b, 14, &l);

    b.here(l.general);
    general(&mut b, &l);
    finish(&mut b, &l);
    b.assemble()
}

/// Where the ways to the hash meet.
struct Places {
    /// Nothing is known yet.
    general: Label,
    /// The cells hold the addresses; ports do not count.
    plain: Label,
    /// The cells hold the addresses and the source port, the accumulator the destination port.
    compare: Label,
    /// Not IP.
    other: Label,
}

fn when_ethernet(b: &mut Builder, yes: Label, no: Label) {
    b.op(LD | W | ABS, AD_HATYPE);
    b.jump_if(JEQ, u32::from(libc::ARPHRD_ETHER), yes);
    b.jump(JEQ, u32::from(libc::ARPHRD_LOOPBACK), yes, no);
}

/// IPv4 without options whose header starts at `base`.
fn short_v4(b: &mut Builder, base: u32, l: &Places) {
    b.op(LD | B | ABS, base);
    b.jump_unless(JEQ, 0x45, l.general);
    b.op(LD | W | ABS, base + 12);
    b.op(ST, FROM);
    b.op(LD | W | ABS, base + 16);
    b.op(ST, TO);
    b.op(LD | B | ABS, base + 9);
    let ports = b.label();
    b.jump_if(JEQ, 6, ports);
    b.jump_unless(JEQ, 17, l.plain);
    b.here(ports);
    b.op(LD | H | ABS, base + 6);
    b.jump_if(JSET, 0x3fff, l.plain);
    b.op(LD | H | ABS, base + 20);
    b.op(ST, FROM_PORT);
    b.op(LD | H | ABS, base + 22);
    b.goto(l.compare);
}

/// IPv6 whose header starts at `base`.
fn short_v6(b: &mut Builder, base: u32, l: &Places) {
    b.op(LD | B | ABS, base);
    b.op(ALU | AND, 0xf0);
    b.jump_unless(JEQ, 0x60, l.general);
    for (cell, at) in [(FROM, 8), (TO, 24)] {
        b.op(LD | W | ABS, base + at);
        for word in 1..4 {
            b.op(MISC | TAX, 0);
            b.op(LD | W | ABS, base + at + 4 * word);
            b.op(ALU | XOR | X, 0);
        }
        b.op(ST, cell);
    }
    b.op(LD | B | ABS, base + 6);
    let ports = b.label();
    b.jump_if(JEQ, 6, ports);
    b.jump_unless(JEQ, 17, l.plain);
    b.here(ports);
    b.op(LD | H | ABS, base + 40);
    b.op(ST, FROM_PORT);
    b.op(LD | H | ABS, base + 42);
    b.goto(l.compare);
}

/// Any link type, tags in the frame, IPv4 options.
fn general(b: &mut Builder, l: &Places) {
    let (v6, ports) = (b.label(), b.label());
    compile::prologue(b);
    b.op(LDX | MEM, BASE);
    b.op(LD | MEM, TYPE);
    b.jump_unless(JEQ, IPV4, v6);
    b.op(LD | W | IND, NET.wrapping_add(12));
    b.op(ST, FROM);
    b.op(LD | W | IND, NET.wrapping_add(16));
    b.op(ST, TO);
    b.op(LD | B | IND, NET.wrapping_add(9));
    let v4_ports = b.label();
    b.jump_if(JEQ, 6, v4_ports);
    b.jump_unless(JEQ, 17, l.plain);
    b.here(v4_ports);
    // The first fragment has ports, but belongs with those that have none.
    b.op(LD | H | IND, NET.wrapping_add(6));
    b.jump_if(JSET, 0x3fff, l.plain);
    b.op(LD | B | IND, NET);
    b.op(ALU | AND, 0x0f);
    b.op(ALU | LSH, 2);
    b.op(ALU | ADD | X, 0);
    b.op(MISC | TAX, 0);
    b.goto(ports);

    b.here(v6);
    b.jump_unless(JEQ, IPV6, l.other);
    for (cell, at) in [(FROM, 8), (TO, 24)] {
        b.op(LD | W | IND, NET.wrapping_add(at));
        b.op(ST, cell);
        for word in 1..4 {
            b.op(LD | W | IND, NET.wrapping_add(at + 4 * word));
            b.op(LDX | MEM, cell);
            b.op(ALU | XOR | X, 0);
            b.op(ST, cell);
            b.op(LDX | MEM, BASE);
        }
    }
    b.op(LD | B | IND, NET.wrapping_add(6));
    let v6_ports = b.label();
    b.jump_if(JEQ, 6, v6_ports);
    b.jump_unless(JEQ, 17, l.plain);
    b.here(v6_ports);
    b.op(MISC | TXA, 0);
    b.op(ALU | ADD, 40);
    b.op(MISC | TAX, 0);

    b.here(ports);
    b.op(LD | H | IND, NET);
    b.op(ST, FROM_PORT);
    b.op(LD | H | IND, NET.wrapping_add(2));
    b.goto(l.compare);
}

/// From addresses and ports to the number: the endpoint with the higher port decides, both when they are equal.
fn finish(b: &mut Builder, l: &Places) {
    let (from_higher, to_higher, equal, done) = (b.label(), b.label(), b.label(), b.label());
    b.here(l.compare);
    b.op(LDX | MEM, FROM_PORT);
    b.jump_if(JGT | X, 0, to_higher);
    b.jump(JEQ | X, 0, equal, from_higher);
    b.here(from_higher);
    b.op(LD | MEM, FROM_PORT);
    b.op(ALU | MUL, 0x1_0001);
    b.op(LDX | MEM, FROM);
    b.op(ALU | XOR | X, 0);
    b.goto(done);
    b.here(equal);
    b.op(ALU | MUL, 0x1_0001);
    b.op(LDX | MEM, FROM);
    b.op(ALU | XOR | X, 0);
    b.op(LDX | MEM, TO);
    b.op(ALU | XOR | X, 0);
    b.goto(done);
    b.here(to_higher);
    b.op(ALU | MUL, 0x1_0001);
    b.op(LDX | MEM, TO);
    b.op(ALU | XOR | X, 0);
    b.goto(done);
    b.here(l.plain);
    b.op(LD | MEM, FROM);
    b.op(LDX | MEM, TO);
    b.op(ALU | XOR | X, 0);
    b.here(done);
    b.op(ALU | MUL, 0x9e37_79b1);
    b.op(ALU | RSH, 16);
    b.op(RET | 0x10, 0); // the accumulator
    // Last, for the kernel's checker thinks that a program goes on behind a return, with the cells as they are there.
    b.here(l.other);
    b.op(RET, 0);
}

/// What a socket lets through.
pub(crate) struct Wanted<'a> {
    /// Interface indexes.
    pub(crate) devices: &'a [u32],
    /// Those of them that are loopback.
    pub(crate) loopback: &'a [u32],
    pub(crate) exclude: &'a [Exclusion],
    pub(crate) filter: Option<&'a Filter>,
    pub(crate) snaplen: u32,
}

/// The socket filter: device, then direction on loopback, then our own traffic, then the user's filter.
///
/// `None` when it would be longer than the kernel takes.
pub(crate) fn socket_program(wanted: &Wanted<'_>) -> Option<Vec<Insn>> {
    let mut b = Builder::default();
    let (yes, no, chosen) = (b.label(), b.label(), b.label());
    let ranges = |list: &[u32]| compile::merged(&list.iter().map(|n| (*n, *n)).collect::<Vec<_>>());
    let (devices, loopback) = (ranges(wanted.devices), ranges(wanted.loopback));
    b.op(LD | W | ABS, AD_IFINDEX);
    compile::member(&mut b, &devices, chosen, no);
    b.here(chosen);
    if !loopback.is_empty() {
        // A frame on loopback goes out and comes in again: one copy is enough.
        let (is_loopback, next) = (b.label(), b.label());
        compile::member(&mut b, &loopback, is_loopback, next);
        b.here(is_loopback);
        b.op(LD | W | ABS, AD_PKTTYPE);
        b.jump_if(JEQ, OUTGOING, no);
        b.here(next);
    }
    if !wanted.exclude.is_empty() || wanted.filter.is_some() {
        compile::prologue(&mut b);
    }
    let local =
        wanted.exclude.iter().filter(|e| e.address.is_none()).map(|e| (e.port, e.port)).collect::<Vec<_>>();
    if !local.is_empty() && !loopback.is_empty() {
        let (is_loopback, next) = (b.label(), b.label());
        b.op(LD | W | ABS, AD_IFINDEX);
        compile::member(&mut b, &loopback, is_loopback, next);
        b.here(is_loopback);
        let ours = Expr::Test(Test::Port { transports: TCP_UDP, end: End::Either, ranges: local });
        compile::condition(&mut b, &ours, no, next);
        b.here(next);
    }
    for exclusion in wanted.exclude {
        if let Some(address) = exclusion.address {
            let next = b.label();
            compile::condition(&mut b, &endpoint(address, exclusion.port), no, next);
            b.here(next);
        }
    }
    if let Some(filter) = wanted.filter {
        compile::condition(&mut b, filter.expr(), yes, no);
    }
    b.here(yes);
    b.op(RET, wanted.snaplen);
    b.here(no);
    b.op(RET, 0);
    b.assemble()
}

const TCP_UDP: Transports = Transports { tcp: true, udp: true, sctp: false };

/// Either end is this address and port.
fn endpoint(address: IpAddr, port: u16) -> Expr {
    let end_is = |end| {
        let host = match address {
            IpAddr::V4(v4) => Test::V4 { net: Net::V4, end, address: v4.to_bits(), mask: u32::MAX },
            IpAddr::V6(v6) => Test::V6 { end, address: v6.to_bits(), mask: u128::MAX },
        };
        let port = Test::Port { transports: TCP_UDP, end, ranges: vec![(port, port)] };
        Expr::Test(host).and(Expr::Test(port))
    };
    end_is(End::Src).or(end_is(End::Dst))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wirebeat_model::{Endpoint, FlowKey, Frame, LinkType, Time, Transport};

    use super::*;
    use crate::filter::machine;

    fn frame(data: &[u8]) -> Frame<'_> {
        Frame {
            time: Time(0),
            link: LinkType::Ethernet,
            device: 3,
            wire_len: data.len() as u32,
            vlan: None,
            data,
        }
    }

    fn ethernet(tags: usize, kind: u16, packet: &[u8]) -> Vec<u8> {
        let tags = [0x81, 0, 0, 5].repeat(tags);
        [&[0; 12][..], &tags, &kind.to_be_bytes(), packet].concat()
    }

    proptest! {
        #[test]
        fn the_program_computes_the_shard_hash(
            from in any::<[u8; 16]>(), to in any::<[u8; 16]>(), ports in any::<(u16, u16)>(), same in any::<bool>(),
            protocol in prop::sample::select(vec![1u8, 6, 17, 58, 47, 132]), options in 0u8..11, v4: bool, tags in 0usize..4,
        ) {
            let ports = if same { (ports.0, ports.0) } else { ports };
            let l4 = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
            let transport = Transport(protocol);
            let key_ports = if transport.has_ports() { ports } else { (0, 0) };
            let (packet, kind, a, b) = if v4 {
                let mut ip = vec![0; 20 + 4 * usize::from(options)];
                ip[0] = 0x45 + options;
                ip[9] = protocol;
                ip[12..16].copy_from_slice(&from[..4]);
                ip[16..20].copy_from_slice(&to[..4]);
                let a = Endpoint::v4(from[..4].try_into().unwrap(), key_ports.0);
                ([ip, l4].concat(), 0x0800, a, Endpoint::v4(to[..4].try_into().unwrap(), key_ports.1))
            } else {
                let mut ip = vec![0; 40];
                ip[0] = 0x60;
                ip[6] = protocol;
                ip[8..24].copy_from_slice(&from);
                ip[24..40].copy_from_slice(&to);
                ([ip, l4].concat(), 0x86dd, Endpoint::v6(from, key_ports.0), Endpoint::v6(to, key_ports.1))
            };
            let key = FlowKey::new(a, b, transport, 0).0;
            let program = shard_program().unwrap();
            let data = ethernet(tags, kind, &packet);
            for place in [machine::Place::File, machine::Place::Incoming, machine::Place::Outgoing] {
                prop_assert_eq!(machine::run_at(place, &program, &frame(&data)), key.shard_hash());
            }
            // Short frames end the program, whatever it was doing.
            for cut in 0..data.len() {
                machine::run(&program, &frame(&data[..cut]));
            }
        }
    }

    #[test]
    fn what_is_not_ip_goes_to_the_first_shard() {
        let program = shard_program().unwrap();
        assert_eq!(machine::run(&program, &frame(&ethernet(0, 0x0806, &[1; 28]))), 0);
    }

    #[test]
    fn devices_exclusions_and_snap_length() {
        let wanted = |devices: &'static [u32], exclude: &'static [Exclusion]| Wanted {
            devices,
            loopback: &[3],
            exclude,
            filter: None,
            snaplen: 96,
        };
        let mut ip = vec![0; 28];
        (ip[0], ip[9]) = (0x45, 17);
        ip[12..16].copy_from_slice(&[10, 0, 0, 1]);
        ip[22..24].copy_from_slice(&53u16.to_be_bytes());
        let data = ethernet(1, 0x0800, &ip);
        let run = |w: Wanted<'_>| machine::run(&socket_program(&w).unwrap(), &frame(&data));
        assert_eq!(run(wanted(&[1, 2, 3, 9], &[])), 96);
        assert_eq!(run(wanted(&[1, 2, 4, 9, 12, 20, 30], &[])), 0);
        assert_eq!(run(wanted(&[], &[])), 0);
        assert_eq!(run(wanted(&[3], &[Exclusion { address: None, port: 53 }])), 0);
        assert_eq!(run(wanted(&[3], &[Exclusion { address: None, port: 54 }])), 96);
        let at = |a: [u8; 4], port| Exclusion { address: Some(IpAddr::from(a)), port };
        for (exclusion, result) in
            [(at([10, 0, 0, 1], 53), 96), (at([10, 0, 0, 1], 0), 0), (at([0; 4], 53), 0)]
        {
            let exclude = [exclusion];
            let w = Wanted { devices: &[3], loopback: &[], exclude: &exclude, filter: None, snaplen: 96 };
            assert_eq!(run(w), result, "{exclusion:?}");
        }
    }
}
