//! IP of either version to a packet: ports, key, transport.

use wirebeat_model::{Endpoint, FlowKey, Transport};

use super::ipv4::Ipv4;
use super::ipv6::{self, Inside, Ipv6};
use super::{Fault, Fragment, L4, Link, MAX_NESTING, NotAPacket, Packet, TcpHeader, icmp, udp};

const IPV4_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const AUTHENTICATION: u8 = 51;

/// What IP says beside what it carries.
#[derive(Clone, Copy)]
struct Ends {
    from: Endpoint,
    to: Endpoint,
    ttl: u8,
    id: Option<u16>,
}

/// Decodes an IP packet of which `on_wire` bytes were on the wire; `nesting` IP headers came before.
#[inline]
pub(super) fn packet<'a>(
    bytes: &'a [u8],
    on_wire: usize,
    link: &Link<'a>,
    nesting: u8,
) -> Result<Packet<'a>, NotAPacket> {
    let Some(first) = bytes.first() else { return Err(link.judge(Fault::Short)) };
    match first >> 4 {
        4 => {
            let ip = match Ipv4::check(bytes, on_wire) {
                Ok(ip) => ip,
                Err(fault) => return Err(link.judge(fault)),
            };
            let (offset, more) = (ip.fragment_offset(), ip.more_fragments());
            let (from, to) = (Endpoint::v4(ip.source(), 0), Endpoint::v4(ip.destination(), 0));
            let ends = Ends { from, to, ttl: ip.ttl(), id: Some(ip.id()) };
            let mut inside = Inside {
                next: ip.protocol(),
                payload: ip.payload,
                payload_len: ip.payload_len,
                fragment: None,
            };
            if offset != 0 || more {
                inside.fragment = Some(Fragment { id: ip.id().into(), offset, more });
                return Ok(piece(link, ends, &inside));
            }
            if inside.next == AUTHENTICATION {
                return extended(inside, false, ends, link, nesting);
            }
            transport(&inside, ends, link, nesting)
        }
        6 => {
            let ip = match Ipv6::check(bytes, on_wire) {
                Ok(ip) => ip,
                Err(fault) => return Err(link.judge(fault)),
            };
            let (from, to) = (Endpoint::v6(ip.source(), 0), Endpoint::v6(ip.destination(), 0));
            let ends = Ends { from, to, ttl: ip.hop_limit(), id: None };
            let inside = Inside {
                next: ip.next_header(),
                payload: ip.payload,
                payload_len: ip.payload_len,
                fragment: None,
            };
            match Transport(inside.next) {
                Transport::TCP | Transport::UDP => transport(&inside, ends, link, nesting),
                _ => extended(inside, true, ends, link, nesting),
            }
        }
        _ => Err(NotAPacket::Malformed),
    }
}

/// What follows extension headers.
#[inline(never)]
fn extended<'a>(
    inside: Inside<'a>,
    v6: bool,
    ends: Ends,
    link: &Link<'a>,
    nesting: u8,
) -> Result<Packet<'a>, NotAPacket> {
    match ipv6::extensions(inside.next, inside.payload, inside.payload_len, v6) {
        Ok(i) if i.fragment.is_some() => Ok(piece(link, ends, &i)),
        Ok(inside) => transport(&inside, ends, link, nesting),
        Err(fault) => Err(link.judge(fault)),
    }
}

#[inline(always)]
fn transport<'a>(
    inside: &Inside<'a>,
    mut ends: Ends,
    link: &Link<'a>,
    nesting: u8,
) -> Result<Packet<'a>, NotAPacket> {
    let (payload, payload_len) = (inside.payload, inside.payload_len);
    match Transport(inside.next) {
        Transport::TCP => match TcpHeader::check(payload, payload_len) {
            Ok(tcp) => {
                (ends.from.port, ends.to.port) = tcp.ports();
                let len = tcp.header_len();
                // A header whose options were cut off leaves nothing to carry.
                let data = payload.get(len as usize..).unwrap_or_default();
                Ok(fill(link, ends, inside, L4::Tcp(tcp), data, payload_len - len))
            }
            Err(fault) => Err(link.judge(fault)),
        },
        Transport::UDP => match udp::Udp::check(payload, payload_len) {
            Ok(udp) => {
                (ends.from.port, ends.to.port) = udp.ports();
                Ok(fill(link, ends, inside, L4::Udp, udp.payload, udp.payload_len))
            }
            Err(fault) => Err(link.judge(fault)),
        },
        _ => others(inside, ends, link, nesting),
    }
}

#[inline(never)]
fn others<'a>(
    inside: &Inside<'a>,
    mut ends: Ends,
    link: &Link<'a>,
    nesting: u8,
) -> Result<Packet<'a>, NotAPacket> {
    let (payload, payload_len) = (inside.payload, inside.payload_len);
    let mut l4 = L4::Other;
    match Transport(inside.next) {
        Transport::ICMP | Transport::ICMP6 => {
            let (kind, code) = icmp::check(payload).map_err(|f| link.judge(f))?;
            l4 = L4::Icmp { kind, code };
        }
        Transport::SCTP => {
            // RFC 9260 section 3.1: the ports come first, as in TCP.
            let head = payload.first_chunk::<12>().ok_or(link.judge(Fault::Short))?;
            (ends.from.port, ends.to.port) = (super::be16(head, 0), super::be16(head, 2));
        }
        Transport(IPV4_IN_IP | IPV6_IN_IP) => {
            if nesting >= MAX_NESTING {
                return Err(NotAPacket::Malformed);
            }
            return packet(payload, payload_len as usize, link, nesting + 1);
        }
        _ => {}
    }
    Ok(fill(link, ends, inside, l4, payload, payload_len))
}

#[cold]
fn piece<'a>(link: &Link<'a>, ends: Ends, inside: &Inside<'a>) -> Packet<'a> {
    let packet = fill(link, ends, inside, L4::Other, inside.payload, inside.payload_len);
    Packet { fragment: inside.fragment, ..packet }
}

#[inline(always)]
fn fill<'a>(
    link: &Link<'a>,
    ends: Ends,
    inside: &Inside<'a>,
    l4: L4<'a>,
    payload: &'a [u8],
    payload_len: u32,
) -> Packet<'a> {
    // Tunnels that number their networks (VXLAN, Geneve, GRE keys) will put the number here.
    let tunnel = 0;
    let (key, dir) = FlowKey::new(ends.from, ends.to, Transport(inside.next), tunnel);
    Packet {
        key,
        dir,
        l4,
        payload,
        payload_len,
        vlan: link.vlan,
        mac: link.macs.map(|&[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5]| {
            ([s0, s1, s2, s3, s4, s5], [d0, d1, d2, d3, d4, d5])
        }),
        ip_id: ends.id,
        ttl: ends.ttl,
        fragment: None,
        wire_len: link.wire_len,
        device: link.device,
    }
}
