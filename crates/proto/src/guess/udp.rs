//! Signatures of protocols over UDP.

use super::shared::{
    be16, be32, begins, ber_sequence, is_kerberos, is_ldap, is_sip, is_stun, is_syslog, rpc_call,
};

/// The protocol of a UDP flow, by the first datagram of each side.
pub(super) fn name(c: &[u8], s: &[u8]) -> Option<&'static str> {
    if is_sip(c) || is_sip(s) {
        return Some("sip");
    }
    // UPnP device architecture §1.
    if begins(c, &["M-SEARCH * HTTP/1.1\r\n", "NOTIFY * HTTP/1.1\r\n"]) {
        return Some("ssdp");
    }
    if is_syslog(c) {
        return Some("syslog");
    }
    if is_stun(c) {
        return Some("stun");
    }
    if is_quic(c) {
        return Some("quic");
    }
    // RFC 6347 §4.1: a handshake record of version 1.0 or 1.2, epoch 0, ClientHello.
    if matches!(c, [0x16, 0xfe, 0xff | 0xfd, 0, 0, 0, 0, _, _, _, _, _, _, 1, ..]) {
        return Some("dtls");
    }
    // Calls are known by themselves.
    rpc_call(c).or_else(|| managed(c, s)).or_else(|| others(c, s))
}

/// QUIC versions 1 and 2 (RFC 9000 §17.2, RFC 9369 §3.1) and the last drafts: a long header and two connection ids.
fn is_quic(c: &[u8]) -> bool {
    let version = be32(c, 1);
    let known = matches!(version, Some(1 | 0x6b33_43cf | 0xff00_001b..=0xff00_0022));
    let Some(dcid) = c.get(5).map(|n| usize::from(*n)) else { return false };
    let scid = c.get(6 + dcid);
    // A client's first id has at least 8 bytes (RFC 9000 §7.2).
    known && c[0] & 0xc0 == 0xc0 && (8..=20).contains(&dcid) && scid.is_some_and(|n| *n <= 20)
}

/// What networks are run by.
fn managed(c: &[u8], s: &[u8]) -> Option<&'static str> {
    if is_ntp(c, s) {
        return Some("ntp");
    }
    if is_dhcp(c) {
        return Some("dhcpv4");
    }
    if is_dhcpv6(c) {
        return Some("dhcpv6");
    }
    if is_ldap(c) {
        return Some("ldap");
    }
    // SNMP (RFC 3416, RFC 3412 §6): version 1 or 2c and a community, or version 3 and its header.
    match ber_sequence(c) {
        Some((0 | 1, [4, n, community @ ..]))
            if usize::from(*n) < community.len() && matches!(community[usize::from(*n)], 0xa0..=0xa8) =>
        {
            return Some("snmp");
        }
        Some((3, [0x30, _, 2, ..])) => return Some("snmp"),
        _ => {}
    }
    if is_kerberos(c) {
        return Some("kerberos");
    }
    // NetBIOS name service (RFC 1002 §4.2.1): one question or record, a name of 32 letters.
    let letters = c.get(13..45).is_some_and(|n| n.iter().all(|b| (b'A'..=b'P').contains(b)));
    if c.get(12) == Some(&0x20) && letters && matches!(be16(c, 4), Some(0 | 1)) {
        return Some("netbios-ns");
    }
    if is_radius(c) {
        return Some("radius");
    }
    None
}

/// NTP (RFC 5905 §7.3) of versions 1 to 4: 48 bytes, perhaps a key id and digest after them.
fn is_ntp(c: &[u8], s: &[u8]) -> bool {
    let fits = |b: &[u8], modes: [u8; 2]| {
        let plausible = |head: &[u8; 4]| {
            let [flags, stratum, poll, precision] = *head;
            let (version, mode) = (flags >> 3 & 7, flags & 7);
            (1..=4).contains(&version)
                && modes.contains(&mode)
                && stratum <= 16
                && poll <= 17
                && (precision == 0 || precision >= 0xe0)
        };
        matches!(b.len(), 48 | 64..=72) && b.first_chunk().is_some_and(plausible)
    };
    // A client's question is mostly zeros but for its own time; root delay and dispersion are small in any.
    let small = |b: &[u8]| be16(b, 4).is_some_and(|d| d < 256) && be16(b, 8).is_some_and(|d| d < 256);
    fits(c, [3, 1]) && small(c) && (s.is_empty() || fits(s, [4, 2]))
        || s.is_empty() && fits(c, [5, 4]) && small(c) && c[1] > 0
}

/// DHCP (RFC 2131 §2): Ethernet, hops within reason, the rest of the hardware address zero; the cookie if it is shown.
fn is_dhcp(c: &[u8]) -> bool {
    let zero = |range: std::ops::Range<usize>| c.get(range).is_some_and(|r| r.iter().all(|b| *b == 0));
    let cookie = c.get(236..240).is_none_or(|m| m == [99, 130, 83, 99]);
    matches!(c, [1 | 2, 1, 6, 0..=16, ..])
        && zero(34..44)
        && (zero(44..64) || c.len() >= 240)
        && cookie
        && be16(c, 10).is_some_and(|f| f & 0x7fff == 0)
}

/// DHCPv6 (RFC 8415 §8): a client's message type, a number, and known options of fitting length.
fn is_dhcpv6(c: &[u8]) -> bool {
    let [1..=11, _, _, _, options @ ..] = c else { return false };
    let (mut at, mut seen) = (0, 0);
    while let (Some(code), Some(len)) = (be16(options, at), be16(options, at + 2)) {
        let fits = match code {
            1 | 2 => (4..=130).contains(&len),
            3 | 25 => len >= 12,
            6 => len > 0 && len % 2 == 0,
            8 => len == 2,
            14 => len == 0,
            5 | 7 | 11..=13 | 15..=24 | 26..=103 => len < 512,
            _ => false,
        };
        if !fits {
            return false;
        }
        at += 4 + usize::from(len);
        seen += 1;
    }
    seen >= 2
}

/// RADIUS (RFC 2865 §3): a request's code, a length, and attributes that follow one another.
fn is_radius(c: &[u8]) -> bool {
    let Some(len) = be16(c, 2).map(usize::from) else { return false };
    // What is shown may be cut.
    if !matches!(c[0], 1 | 4 | 40 | 43)
        || !(20..=4096).contains(&len)
        || len < c.len()
        || len > c.len() && c.len() < 64
    {
        return false;
    }
    let (mut at, mut seen) = (20, 0);
    while let (Some(kind), Some(n)) = (c.get(at), c.get(at + 1)) {
        if *kind == 0 || *n < 3 {
            return false;
        }
        at += usize::from(*n);
        seen += 1;
    }
    seen >= 2 && (at == len || len > c.len())
}

fn others(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // IKE (RFC 7296 §3.1, RFC 2408 §3.1), with RFC 3948's marker or without: the first message has no responder's id.
    let ike = |b: &[u8]| {
        let spi = b.get(..16).is_some_and(|i| i[..8] != [0; 8] && i[8..] == [0; 8]);
        spi && matches!(b.get(16..20), Some([0x21, 0x20, 0x22, 8] | [1, 0x10, 2 | 4, 0]))
    };
    if ike(c) || c.starts_with(&[0; 4]) && ike(&c[4..]) {
        return Some("ike");
    }
    // TFTP (RFC 1350 §5): a request, a file's name, a mode.
    if let [0, 1 | 2, rest @ ..] = c {
        let mut parts = rest.split(|b| *b == 0);
        let file = parts.next().is_some_and(|f| !f.is_empty() && f.iter().all(|b| !b.is_ascii_control()));
        let mode = parts.next().is_some_and(|m| {
            ["octet", "netascii", "mail"].iter().any(|known| m.eq_ignore_ascii_case(known.as_bytes()))
        });
        if file && mode {
            return Some("tftp");
        }
    }
    // BitTorrent's table of nodes (BEP 5): a dictionary with a query's or answer's node id first.
    if begins(c, &["d1:ad2:id20:", "d1:rd2:id20:"]) {
        return Some("bittorrent");
    }
    // WireGuard: a handshake and its answer.
    if c.starts_with(&[1, 0, 0, 0]) && s.starts_with(&[2, 0, 0, 0]) && c.len() >= 64 && s.len() >= 64 {
        return Some("wireguard");
    }
    None
}
