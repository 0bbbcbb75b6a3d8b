//! Numbers, addresses, networks and ports of the filter language.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Addresses under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

/// Port names that people write in filters (IANA service names).
const PORTS: [(&str, u16); 24] = [
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap2", 143),
    ("imap", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("ldap", 389),
    ("https", 443),
    ("syslog", 514),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("sip", 5060),
    ("redis", 6379),
];

const PROTOCOLS: [(&str, u8); 11] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmp6", 58),
    ("pim", 103),
    ("vrrp", 112),
    ("sctp", 132),
];

/// A decimal, or hexadecimal with 0x.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u32::from_str_radix(hex, 16).ok(),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// Whether a word can be the value of the qualifier before it.
pub(super) fn looks_like_value(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == ':');
    starts
        || text.parse::<Ipv6Addr>().is_ok()
        || text.contains(':') && text.contains('/')
        || port(text).is_some()
}

fn port(text: &str) -> Option<u16> {
    let named = PORTS.iter().find(|(name, _)| *name == text).map(|(_, n)| *n);
    named.or_else(|| number(text)?.try_into().ok())
}

/// A port, or two with a dash between them where `range` allows it.
pub(super) fn ports(text: &str, range: bool) -> Result<(u16, u16), String> {
    let one = |t: &str| {
        port(t).ok_or_else(|| format!("{t:?} is not a port from 0 to 65535, nor a name that is known"))
    };
    if !range {
        return one(text).map(|n| (n, n));
    }
    // A service name may hold a dash itself.
    let (low, high) = match (port(text), text.split_once('-')) {
        (Some(n), _) => (n, n),
        (None, Some((low, high))) => (one(low)?, one(high)?),
        (None, None) => return Err(format!("{text:?} is not a range such as 1000-2000")),
    };
    Ok((low.min(high), low.max(high)))
}

pub(super) fn protocol(text: &str) -> Option<u8> {
    let name = text.strip_prefix('\\').unwrap_or(text);
    let named = PROTOCOLS.iter().find(|(n, _)| *n == name).map(|(_, n)| *n);
    named.or_else(|| number(name)?.try_into().ok())
}

pub(super) fn ether_type(text: &str) -> Option<u16> {
    match text.strip_prefix('\\').unwrap_or(text) {
        "ip" => Some(0x0800),
        "ip6" => Some(0x86dd),
        "arp" => Some(0x0806),
        "rarp" => Some(0x8035),
        other => number(other)?.try_into().ok().filter(|n| *n >= 0x0600),
    }
}

/// Six bytes in hexadecimal, with colons or dashes.
pub(super) fn mac(text: &str) -> Result<[u8; 6], String> {
    let mut out = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut out {
        let part =
            parts.next().filter(|p| matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = part.and_then(|p| u8::from_str_radix(p, 16).ok());
        *byte = value.ok_or_else(|| format!("{text:?} is not a link address such as 02:00:5e:10:00:01"))?;
    }
    if parts.next().is_some() {
        return Err(format!("{text:?} is longer than a link address of six bytes"));
    }
    Ok(out)
}

/// One address. Names are not resolved: a filter must not depend on DNS.
pub(super) fn host(text: &str) -> Result<Network, String> {
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Ok(Network::V4 { address: v4.to_bits(), mask: u32::MAX });
    }
    if let Ok(v6) = text.parse::<Ipv6Addr>() {
        return Ok(Network::V6 { address: v6.to_bits(), mask: u128::MAX });
    }
    if text.contains('/') {
        return Err(format!("{text:?} is a network; write net before it"));
    }
    Err(format!("{text:?} is not an address; host names are not resolved"))
}

/// `10`, `10.1`, `10.1.2.0/24`, `10.1.0.0 mask 255.255.0.0`, `2001:db8::/32`.
pub(super) fn net(text: &str, mask: Option<&str>) -> Result<Network, String> {
    let (base, bits) = match text.split_once('/') {
        Some((base, bits)) => (base, Some(bits)),
        None => (text, None),
    };
    let bits = bits.map(|b| number(b).ok_or_else(|| format!("{b:?} is not a prefix length"))).transpose()?;
    if let Ok(v6) = base.parse::<Ipv6Addr>() {
        if mask.is_some() {
            return Err("mask goes with IPv4 only".to_owned());
        }
        let bits = bits.unwrap_or(128);
        let mask = prefix(bits, 128).ok_or_else(|| format!("{bits} is more than 128 bits"))?;
        return match v6.to_bits() {
            address if address & !mask != 0 => Err(outside(text)),
            address => Ok(Network::V6 { address, mask }),
        };
    }
    let (address, given) = partial(base).ok_or_else(|| format!("{base:?} is not an IPv4 or IPv6 network"))?;
    let mask = match (mask, bits) {
        (Some(_), Some(_)) => return Err("a prefix length and a mask".to_owned()),
        (Some(mask), None) => {
            let parsed = mask.parse::<Ipv4Addr>();
            parsed.map_err(|_| format!("{mask:?} is not a mask such as 255.255.0.0"))?.to_bits()
        }
        (None, bits) => {
            let bits = bits.unwrap_or(given);
            prefix(bits, 32).ok_or_else(|| format!("{bits} is more than 32 bits"))? as u32
        }
    };
    if address & !mask != 0 {
        return Err(outside(text));
    }
    Ok(Network::V4 { address, mask })
}

fn outside(text: &str) -> String {
    format!("{text:?} has bits set outside its network part")
}

/// The mask of a prefix: `of` is 32 or 128, the result right-aligned.
fn prefix(bits: u32, of: u32) -> Option<u128> {
    let host = of.checked_sub(bits)?;
    let all = if of == 128 { u128::MAX } else { (1 << of) - 1 };
    Some(all & u128::MAX.checked_shl(host).unwrap_or(0))
}

/// One to four decimal parts, and how many bits they fix.
fn partial(text: &str) -> Option<(u32, u32)> {
    let (mut address, mut bits) = (0u32, 0);
    for part in text.split('.') {
        if bits == 32 || part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        address |= u32::from(part.parse::<u8>().ok()?) << (24 - bits);
        bits += 8;
    }
    Some((address, bits))
}
