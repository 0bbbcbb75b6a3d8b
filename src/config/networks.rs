//! Which addresses are ours, and `network.direction`.

use std::net::{IpAddr, Ipv4Addr};

/// `internal_networks`: CIDR ranges and Beats' named ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalNetworks {
    ranges: Vec<Range>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Named(Named),
    /// Network address and prefix length.
    Cidr(IpAddr, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Loopback,
    Unicast,
    Multicast,
    InterfaceLocalMulticast,
    LinkLocalUnicast,
    LinkLocalMulticast,
    Private,
    Public,
    Unspecified,
}

/// The names a configuration may use.
const NAMES: [(&str, Named); 10] = [
    ("loopback", Named::Loopback),
    ("unicast", Named::Unicast),
    ("global_unicast", Named::Unicast),
    ("multicast", Named::Multicast),
    ("interface_local_multicast", Named::InterfaceLocalMulticast),
    ("link_local_unicast", Named::LinkLocalUnicast),
    ("link_local_multicast", Named::LinkLocalMulticast),
    ("private", Named::Private),
    ("public", Named::Public),
    ("unspecified", Named::Unspecified),
];

impl InternalNetworks {
    /// The private ranges: what holds without a configuration.
    pub fn private() -> Self {
        Self { ranges: vec![Range::Named(Named::Private)] }
    }

    /// Whether any range is named.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds the ranges of another.
    pub fn extend(&mut self, other: &Self) {
        for range in &other.ranges {
            if !self.ranges.contains(range) {
                self.ranges.push(*range);
            }
        }
    }

    /// Adds a range: `10.0.0.0/8`, one address, or a name such as `private`.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let range = parse(text)?;
        if !self.ranges.contains(&range) {
            self.ranges.push(range);
        }
        Ok(())
    }

    /// Whether `ip` is in one of them. An IPv4 address written as IPv6 counts as what it is.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.ranges.iter().any(|range| match *range {
            Range::Named(name) => name.contains(ip),
            Range::Cidr(network, length) => in_cidr(ip, network, length),
        })
    }
}

fn parse(text: &str) -> Result<Range, String> {
    let text = text.trim();
    if let Some((_, name)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(Range::Named(*name));
    }
    let wrong = || {
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        let near = wirebeat_model::config::suggest(text, names.iter().copied());
        let hint = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
        format!("expected a network such as 10.0.0.0/8 or one of {}, found {text:?}{hint}", names.join(", "))
    };
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(most);
    if length > most {
        return Err(format!("expected a prefix length of at most {most}, found {length}"));
    }
    Ok(Range::Cidr(address, length))
}

fn in_cidr(ip: IpAddr, network: IpAddr, length: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            (ip.to_bits() ^ network.to_bits()) & mask == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            (ip.to_bits() ^ network.to_bits()) & mask == 0
        }
        _ => false,
    }
}

impl Named {
    fn contains(self, ip: IpAddr) -> bool {
        match self {
            Self::Loopback => ip.is_loopback(),
            Self::Unicast => is_unicast(ip),
            Self::Multicast => ip.is_multicast(),
            Self::InterfaceLocalMulticast => multicast_scope(ip) == Some(1),
            Self::LinkLocalUnicast => is_link_local(ip),
            Self::LinkLocalMulticast => is_link_local_multicast(ip),
            Self::Private => is_private(ip),
            Self::Public => {
                !(is_private(ip)
                    || ip.is_loopback()
                    || ip.is_unspecified()
                    || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
                    || is_link_local(ip)
                    || is_link_local_multicast(ip)
                    || multicast_scope(ip) == Some(1))
            }
            Self::Unspecified => ip.is_unspecified(),
        }
    }
}

/// RFC 1918 and RFC 4193; as in Beats only `fd00::/8`, the half that is assigned.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.octets()[0] == 0xfd,
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn multicast_scope(ip: IpAddr) -> Option<u8> {
    match ip {
        IpAddr::V6(ip) if ip.is_multicast() => Some(ip.octets()[1] & 0x0f),
        _ => None,
    }
}

fn is_link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(_) => multicast_scope(ip) == Some(2),
    }
}

/// Everything that is one host's address, private ranges included.
fn is_unicast(ip: IpAddr) -> bool {
    !(ip == IpAddr::V4(Ipv4Addr::BROADCAST)
        || ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_multicast()
        || is_link_local(ip))
}

/// `network.direction`: seen from this host first, then from the perimeter.
///
/// `ingress` when the destination is one of `local` (loopback and link-local addresses always are), `egress` when the
/// source is; else `internal`, `inbound`, `outbound` or `external` by `internal`; `unknown` when that names nothing.
pub fn direction(
    source: IpAddr,
    destination: IpAddr,
    local: &[IpAddr],
    internal: &InternalNetworks,
) -> &'static str {
    let (source, destination) = (source.to_canonical(), destination.to_canonical());
    let is_local = |ip: IpAddr| ip.is_loopback() || is_link_local(ip) || local.contains(&ip);
    if is_local(destination) {
        return "ingress";
    }
    if is_local(source) {
        return "egress";
    }
    if internal.is_empty() {
        return "unknown";
    }
    match (internal.contains(source), internal.contains(destination)) {
        (true, true) => "internal",
        (true, false) => "outbound",
        (false, true) => "inbound",
        (false, false) => "external",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn networks(list: &[&str]) -> InternalNetworks {
        let mut networks = InternalNetworks::default();
        list.iter().for_each(|text| networks.add(text).unwrap());
        networks
    }

    #[test]
    fn ranges() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", &["10.1.2.3", "::ffff:10.1.2.3"][..], &["11.0.0.1", "::1"][..]),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.8"]),
            ("0.0.0.0/0", &["1.2.3.4"], &["::1"]),
            ("2001:db8::/32", &["2001:db8:1::1"], &["2001:db9::1", "32.1.13.184"]),
            ("::/0", &["2001:db8::1"], &["1.2.3.4"]),
            ("loopback", &["127.3.2.1", "::1"], &["128.0.0.1", "::2"]),
            (
                "unicast",
                &["8.8.8.8", "10.0.0.1", "2001:db8::1", "fd00::1"],
                &["224.0.0.1", "255.255.255.255", "fe80::1", "127.0.0.1", "::"],
            ),
            ("global_unicast", &["8.8.8.8"], &["ff02::1"]),
            ("multicast", &["224.0.0.1", "239.1.1.1", "ff05::1"], &["8.8.8.8", "255.255.255.255"]),
            ("interface_local_multicast", &["ff01::1"], &["ff02::1", "224.0.0.1"]),
            ("link_local_unicast", &["169.254.1.1", "fe80::1"], &["10.0.0.1", "ff02::1"]),
            ("link_local_multicast", &["224.0.0.251", "ff02::fb"], &["224.0.1.1", "ff05::1"]),
            (
                "private",
                &["10.0.0.1", "172.16.0.1", "172.31.9.9", "192.168.1.1", "fd12::1"],
                &["172.32.0.1", "8.8.8.8", "fc00::1"],
            ),
            (
                "public",
                &["8.8.8.8", "2001:db8::1", "224.0.1.1"],
                &[
                    "10.0.0.1",
                    "127.0.0.1",
                    "0.0.0.0",
                    "255.255.255.255",
                    "169.254.0.1",
                    "ff01::1",
                    "ff02::1",
                    "224.0.0.1",
                ],
            ),
            ("unspecified", &["0.0.0.0", "::"], &["0.0.0.1"]),
        ] {
            let networks = networks(&[range]);
            for address in inside {
                assert!(networks.contains(ip(address)), "{address} is {range}");
            }
            for address in outside {
                assert!(!networks.contains(ip(address)), "{address} is not {range}");
            }
        }
        assert!(!InternalNetworks::default().contains(ip("10.0.0.1")));
    }

    #[test]
    fn ranges_that_are_none() {
        for (text, part) in [
            ("privat", "did you mean private?"),
            ("10.0.0.0/33", "at most 32"),
            ("10.0.0/8", "expected a network such as"),
            ("10.0.0.0/x", "expected a network such as"),
            ("::/129", "at most 128"),
            ("", "expected a network such as"),
        ] {
            let error = InternalNetworks::default().add(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn directions() {
        let local = [ip("192.0.2.1"), ip("172.17.0.1")];
        let private = InternalNetworks::private();
        for (source, destination, expected) in [
            ("8.8.8.8", "192.0.2.1", "ingress"),
            ("192.0.2.1", "8.8.8.8", "egress"),
            ("192.0.2.1", "172.17.0.1", "ingress"),
            ("127.0.0.1", "127.0.0.1", "ingress"),
            ("fe80::1", "ff02::1", "egress"),
            ("::ffff:192.0.2.1", "8.8.8.8", "egress"),
            ("10.0.0.1", "10.0.0.2", "internal"),
            ("10.0.0.1", "8.8.8.8", "outbound"),
            ("8.8.8.8", "10.0.0.1", "inbound"),
            ("8.8.8.8", "9.9.9.9", "external"),
        ] {
            assert_eq!(
                direction(ip(source), ip(destination), &local, &private),
                expected,
                "{source} {destination}"
            );
        }
        assert_eq!(direction(ip("10.0.0.1"), ip("8.8.8.8"), &local, &InternalNetworks::default()), "unknown");
    }
}
