//! IP of either version to a packet: ports, key, transport.

use wirebeat_model::{Dir, Endpoint, FlowKey, Transport};

use super::ipv4::Ipv4;
use super::ipv6::{self, Inside, Ipv6};
use super::{Fault, Fragment, L4, MAX_NESTING, Packet, TcpHeader, icmp, udp};

const IPV4_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;

/// Decodes an IP packet of which `on_wire` bytes were on the wire; `nesting` IP headers came before.
#[inline]
pub(super) fn packet(bytes: &[u8], on_wire: usize, nesting: u8) -> Result<Packet<'_>, Fault> {
    let first = bytes.first().ok_or(Fault::Short)?;
    match first >> 4 {
        4 => {
            let ip = Ipv4::check(bytes, on_wire)?;
            let (offset, more) = (ip.fragment_offset(), ip.more_fragments());
            let mut inside =
                Inside { next: ip.protocol(), payload: ip.payload, payload_len: ip.payload_len, fragment: None };
            if offset != 0 || more {
                inside.fragment = Some(Fragment { id: ip.id().into(), offset, more });
            } else if inside.next == Transport(51).0 {
                inside = ipv6::extensions(inside.next, ip.payload, ip.payload_len, false)?;
            }
            let ends = (Endpoint::v4(ip.source(), 0), Endpoint::v4(ip.destination(), 0));
            transport(inside, ends, ip.ttl(), Some(ip.id()), nesting)
        }
        6 => {
            let ip = Ipv6::check(bytes, on_wire)?;
            let inside = ipv6::extensions(ip.next_header(), ip.payload, ip.payload_len, true)?;
            let ends = (Endpoint::v6(ip.source(), 0), Endpoint::v6(ip.destination(), 0));
            transport(inside, ends, ip.hop_limit(), None, nesting)
        }
        _ => Err(Fault::Bad),
    }
}

#[inline(always)]
fn transport<'a>(
    inside: Inside<'a>,
    (mut from, mut to): (Endpoint, Endpoint),
    ttl: u8,
    ip_id: Option<u16>,
    nesting: u8,
) -> Result<Packet<'a>, Fault> {
    let Inside { next, mut payload, mut payload_len, fragment } = inside;
    let protocol = Transport(next);
    let mut l4 = L4::Other;
    if fragment.is_none() {
        match protocol {
            Transport::TCP => {
                let tcp = TcpHeader::check(payload, payload_len)?;
                (from.port, to.port) = tcp.ports();
                let len = tcp.header_len();
                // A header whose options were cut off leaves nothing to carry.
                payload = payload.get(len as usize..).unwrap_or_default();
                payload_len -= len;
                l4 = L4::Tcp(tcp);
            }
            Transport::UDP => {
                let udp = udp::Udp::check(payload, payload_len)?;
                (from.port, to.port) = udp.ports();
                payload = udp.payload;
                payload_len = udp.payload_len;
                l4 = L4::Udp;
            }
            Transport::ICMP | Transport::ICMP6 => {
                let (kind, code) = icmp::check(payload)?;
                l4 = L4::Icmp { kind, code };
            }
            Transport::SCTP => {
                // RFC 9260 section 3.1: the ports come first, as in TCP.
                let head = payload.first_chunk::<12>().ok_or(Fault::Short)?;
                (from.port, to.port) = (super::be16(head, 0), super::be16(head, 2));
            }
            Transport(IPV4_IN_IP | IPV6_IN_IP) => {
                if nesting >= MAX_NESTING {
                    return Err(Fault::Bad);
                }
                return nested(payload, payload_len, nesting);
            }
            _ => {}
        }
    }
    // Tunnels that number their networks (VXLAN, Geneve, GRE keys) will put the number here.
    let tunnel = 0;
    let (key, dir): (FlowKey, Dir) = FlowKey::new(from, to, protocol, tunnel);
    Ok(Packet {
        key,
        dir,
        l4,
        payload,
        payload_len,
        vlan: [0; 2],
        mac: None,
        ip_id,
        ttl,
        fragment,
        wire_len: 0,
        device: 0,
    })
}

/// Out of line: rare, and recursive.
#[cold]
fn nested(payload: &[u8], payload_len: u32, nesting: u8) -> Result<Packet<'_>, Fault> {
    packet(payload, payload_len as usize, nesting + 1)
}
