//! A filter as a tree, before it becomes a program.

/// A condition on a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// Every part holds; the empty one holds always.
    And(Vec<Expr>),
    /// Some part holds; the empty one never does.
    Or(Vec<Expr>),
    /// The part does not hold.
    Not(Box<Expr>),
    /// One look at the packet.
    Test(Test),
}

/// Which end of the packet is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Src,
    Dst,
    Either,
    Both,
}

/// Which version of IP, or what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    V4,
    V6,
    /// ARP or RARP by its EtherType: the IPv4 addresses in its body.
    Arp(u16),
}

/// Something a packet can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// The EtherType behind all VLAN tags.
    EtherType(u16),
    /// The protocol above IPv4, or above IPv6 (directly, or behind a fragment header).
    Protocol { net: Net, number: u8 },
    /// An IPv4 address under a mask, in IPv4 or ARP.
    V4 { net: Net, end: End, address: u32, mask: u32 },
    /// An IPv6 address under a mask.
    V6 { end: End, address: u128, mask: u128 },
    /// Ports of TCP, UDP or SCTP in inclusive ranges.
    Port { transports: Transports, end: End, ranges: Vec<(u16, u16)> },
    /// An 802.1Q tag, with this id.
    Vlan(Option<u16>),
    /// A link-layer address.
    Mac { end: End, address: [u8; 6] },
    /// At most this many bytes on the wire.
    AtMost(u32),
    /// At least this many bytes on the wire.
    AtLeast(u32),
    /// A fragment of a packet: IPv4 with offset or more to come, IPv6 with a fragment header.
    Fragment,
}

/// A set of transports that have ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transports {
    pub(crate) tcp: bool,
    pub(crate) udp: bool,
    pub(crate) sctp: bool,
}

impl Transports {
    pub(crate) const ALL: Self = Self { tcp: true, udp: true, sctp: true };
    pub(crate) const TCP: Self = Self { tcp: true, udp: false, sctp: false };
    pub(crate) const UDP: Self = Self { tcp: false, udp: true, sctp: false };
    pub(crate) const SCTP: Self = Self { tcp: false, udp: false, sctp: true };

    pub(crate) fn numbers(self) -> impl Iterator<Item = u8> {
        [(self.tcp, 6), (self.udp, 17), (self.sctp, 132)].into_iter().filter_map(|(on, n)| on.then_some(n))
    }
}

impl Expr {
    /// Both hold.
    pub(crate) fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut parts) => {
                parts.push(other);
                Self::And(parts)
            }
            one => Self::And(vec![one, other]),
        }
    }

    /// One holds. Port lists of the same kind become one, so that `port 80 or 443` loads the port once.
    pub(crate) fn or(self, other: Self) -> Self {
        let mut parts = match self {
            Self::Or(parts) => parts,
            one => vec![one],
        };
        if let (
            Some(Self::Test(Test::Port { transports: t1, end: e1, ranges: r1 })),
            Self::Test(Test::Port { transports: t2, end: e2, ranges: r2 }),
        ) = (parts.last_mut(), &other)
            && t1 == t2
            && e1 == e2
            && *e1 != End::Both
        {
            r1.extend(r2);
        } else {
            parts.push(other);
        }
        Self::Or(parts)
    }

    /// The contrary.
    pub(crate) fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }
}
