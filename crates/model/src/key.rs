//! Who talks to whom: endpoints, transports, the flow key, and the shard a flow belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which of a flow's two endpoints sent something, in the canonical order of [`FlowKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dir {
    /// From endpoint `a` (the smaller) to `b`.
    AtoB = 0,
    /// From endpoint `b` to `a`.
    BtoA = 1,
}

impl Dir {
    /// The other way.
    pub fn flip(self) -> Self {
        match self {
            Self::AtoB => Self::BtoA,
            Self::BtoA => Self::AtoB,
        }
    }

    /// 0 or 1, to index a pair.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What runs directly on IP, by its IANA protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transport(pub u8);

impl Transport {
    /// ICMP for IPv4 (1).
    pub const ICMP: Self = Self(1);
    /// TCP (6).
    pub const TCP: Self = Self(6);
    /// UDP (17).
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6 (58).
    pub const ICMP6: Self = Self(58);
    /// SCTP (132).
    pub const SCTP: Self = Self(132);

    /// The name in `network.transport` (lower case IANA keyword), `None` when it has none that people use.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "icmp",
            2 => "igmp",
            6 => "tcp",
            17 => "udp",
            47 => "gre",
            50 => "esp",
            51 => "ah",
            58 => "ipv6-icmp",
            89 => "ospf",
            103 => "pim",
            112 => "vrrp",
            132 => "sctp",
            _ => return None,
        })
    }

    /// Whether the first four bytes of its header are source and destination port.
    pub fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP | Self::SCTP)
    }
}

/// One side of a conversation. IPv4 addresses are held as `::ffff:a.b.c.d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Address, network byte order.
    pub ip: u128,
    /// Port; 0 where the transport has none.
    pub port: u16,
}

impl Endpoint {
    /// From four bytes of an IPv4 header.
    pub fn v4(ip: [u8; 4], port: u16) -> Self {
        Self { ip: 0xffff_0000_0000 | u128::from(u32::from_be_bytes(ip)), port }
    }

    /// From sixteen bytes of an IPv6 header.
    pub fn v6(ip: [u8; 16], port: u16) -> Self {
        Self { ip: u128::from_be_bytes(ip), port }
    }

    /// From an address of the standard library.
    pub fn new(ip: IpAddr, port: u16) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::v4(v4.octets(), port),
            IpAddr::V6(v6) => Self::v6(v6.octets(), port),
        }
    }

    /// The address as people write it.
    pub fn addr(&self) -> IpAddr {
        ip_addr(self.ip)
    }
}

/// 128 bits as the address people write: IPv4 when it is v4-mapped.
pub fn ip_addr(ip: u128) -> IpAddr {
    if ip >> 32 == 0xffff {
        IpAddr::V4(Ipv4Addr::from_bits(ip as u32))
    } else {
        IpAddr::V6(Ipv6Addr::from_bits(ip))
    }
}

/// Names a flow: an ordered pair of endpoints, the transport and a tunnel number (0 outside tunnels). 40 bytes.
///
/// Both directions have the same key. Without ports (ICMP and others) a flow is all that two addresses exchange over
/// that transport. A VLAN id is not part of the key (`docs/decisions.md`).
#[derive(Clone, Copy, Debug, Eq)]
pub struct FlowKey {
    words: [u64; 5],
}

// Word by word: what is derived for an array goes through slices of bytes, at each packet.
impl PartialEq for FlowKey {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let ([a, b, c, d, e], [v, w, x, y, z]) = (self.words, other.words);
        (a ^ v) | (b ^ w) | (c ^ x) | (d ^ y) | (e ^ z) == 0
    }
}

impl std::hash::Hash for FlowKey {
    #[inline]
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.words.iter().for_each(|w| state.write_u64(*w));
    }
}

impl FlowKey {
    /// Orders the endpoints and says which way the packet `from` → `to` goes.
    #[inline]
    pub fn new(from: Endpoint, to: Endpoint, transport: Transport, tunnel: u16) -> (Self, Dir) {
        let (a, b, dir) = if from <= to { (from, to, Dir::AtoB) } else { (to, from, Dir::BtoA) };
        let meta = u64::from(a.port) << 48
            | u64::from(b.port) << 32
            | u64::from(tunnel) << 16
            | u64::from(transport.0);
        let words = [(a.ip >> 64) as u64, a.ip as u64, (b.ip >> 64) as u64, b.ip as u64, meta];
        (Self { words }, dir)
    }

    /// The smaller endpoint.
    #[inline]
    pub fn a(&self) -> Endpoint {
        Endpoint {
            ip: u128::from(self.words[0]) << 64 | u128::from(self.words[1]),
            port: (self.words[4] >> 48) as u16,
        }
    }

    /// The larger endpoint.
    #[inline]
    pub fn b(&self) -> Endpoint {
        Endpoint {
            ip: u128::from(self.words[2]) << 64 | u128::from(self.words[3]),
            port: (self.words[4] >> 32) as u16,
        }
    }

    /// Who sends in direction `dir`.
    #[inline]
    pub fn sender(&self, dir: Dir) -> Endpoint {
        match dir {
            Dir::AtoB => self.a(),
            Dir::BtoA => self.b(),
        }
    }

    /// Who receives in direction `dir`.
    #[inline]
    pub fn receiver(&self, dir: Dir) -> Endpoint {
        self.sender(dir.flip())
    }

    /// The transport.
    #[inline]
    pub fn transport(&self) -> Transport {
        Transport(self.words[4] as u8)
    }

    /// The tunnel number, 0 outside tunnels.
    pub fn tunnel(&self) -> u16 {
        (self.words[4] >> 16) as u16
    }

    /// Whether the addresses are IPv4.
    pub fn is_v4(&self) -> bool {
        self.words[0] == 0 && self.words[1] >> 32 == 0xffff
    }

    /// The same bits in a fixed order, for hashing into ids.
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut out = [0; 40];
        for (chunk, word) in out.chunks_exact_mut(8).zip(self.words) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        out
    }

    /// The number from which the shard follows: `shard_hash() % shards`.
    ///
    /// With ports it depends on the endpoint with the **higher** port only (both when equal), without ports on both
    /// addresses. The client of a published container port keeps its endpoint through the DNAT, so both sides
    /// of it fall to one shard. The kernel's fan-out program (`capture::ring`) computes the same number, in 32-bit
    /// arithmetic that classic BPF can do: change both together.
    #[inline]
    pub fn shard_hash(&self) -> u32 {
        let (a, b) = (self.a(), self.b());
        let seed = if self.transport().has_ports() && self.transport() != Transport::SCTP {
            let port_bits = |p: u16| u32::from(p) * 0x1_0001;
            match a.port.cmp(&b.port) {
                std::cmp::Ordering::Greater => fold(a.ip) ^ port_bits(a.port),
                std::cmp::Ordering::Less => fold(b.ip) ^ port_bits(b.port),
                std::cmp::Ordering::Equal => fold(a.ip) ^ fold(b.ip) ^ port_bits(a.port),
            }
        } else {
            fold(a.ip) ^ fold(b.ip)
        };
        seed.wrapping_mul(0x9e37_79b1) >> 16
    }
}

/// An IPv4 address as it is, an IPv6 address as the exclusive-or of its four words.
fn fold(ip: u128) -> u32 {
    if ip >> 32 == 0xffff {
        ip as u32
    } else {
        ip as u32 ^ (ip >> 32) as u32 ^ (ip >> 64) as u32 ^ (ip >> 96) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_one_key() {
        let c = Endpoint::v4([10, 0, 0, 9], 40_000);
        let s = Endpoint::v4([10, 0, 0, 1], 80);
        let (k1, d1) = FlowKey::new(c, s, Transport::TCP, 7);
        let (k2, d2) = FlowKey::new(s, c, Transport::TCP, 7);
        assert_eq!(k1, k2);
        assert_eq!(d1, d2.flip());
        assert_eq!(k1.sender(d1), c);
        assert_eq!(k1.receiver(d1), s);
        assert_eq!((k1.transport(), k1.tunnel(), k1.is_v4()), (Transport::TCP, 7, true));
        assert_eq!(size_of::<FlowKey>(), 40);
    }

    #[test]
    fn both_sides_of_a_dnat_share_a_shard() {
        let client = Endpoint::v4([198, 51, 100, 7], 51_234);
        let (host, _) = FlowKey::new(client, Endpoint::v4([192, 0, 2, 2], 8080), Transport::TCP, 0);
        let (container, _) = FlowKey::new(Endpoint::v4([172, 17, 0, 2], 80), client, Transport::TCP, 0);
        assert_eq!(host.shard_hash(), container.shard_hash());
    }

    #[test]
    fn v6_and_v4_addresses_come_back() {
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(Endpoint::new(v6, 1).addr(), v6);
        assert_eq!(Endpoint::new(v4, 1).addr(), v4);
        let (k, _) = FlowKey::new(Endpoint::new(v6, 1), Endpoint::new(v6, 2), Transport::UDP, 0);
        assert!(!k.is_v4());
    }
}
