//! Community ID flow hashing, version 1 (github.com/corelight/community-id-spec), seed 0.

use base64::Engine as _;

use crate::{Endpoint, Transport};

/// A community id: always `1:` and 28 characters of base64.
pub type CommunityId = [u8; 30];

/// The id of the flow that a packet `from` → `to` belongs to.
///
/// `icmp` is type and code of the packet for ICMP and ICMPv6; the spec maps a type that has a counterpart to the pair.
pub fn community_id(
    from: Endpoint,
    to: Endpoint,
    transport: Transport,
    icmp: Option<(u8, u8)>,
) -> CommunityId {
    let mut ports = transport.has_ports().then_some((from.port, to.port));
    let mut one_way = false;
    if let Some((kind, code)) = icmp {
        let counterpart = counterpart(transport, kind);
        one_way = counterpart.is_none();
        ports = Some((kind.into(), counterpart.unwrap_or(code).into()));
    }
    let (sport, dport) = ports.unwrap_or((0, 0));
    let swap = !one_way && (to.ip, dport) < (from.ip, sport);
    let (src, dst, sport, dport) =
        if swap { (to.ip, from.ip, dport, sport) } else { (from.ip, to.ip, sport, dport) };

    let mut sha = sha1_smol::Sha1::new();
    sha.update(&[0, 0]);
    for ip in [src, dst] {
        let bytes = ip.to_be_bytes();
        sha.update(if ip >> 32 == 0xffff { &bytes[12..] } else { &bytes });
    }
    sha.update(&[transport.0, 0]);
    if ports.is_some() {
        sha.update(&sport.to_be_bytes());
        sha.update(&dport.to_be_bytes());
    }
    let mut out = *b"1:                            ";
    // 20 bytes of SHA-1 make exactly 28 characters.
    let _ = base64::engine::general_purpose::STANDARD.encode_slice(sha.digest().bytes(), &mut out[2..]);
    out
}

/// The type of the answer (or question) to a message of this type.
fn counterpart(transport: Transport, kind: u8) -> Option<u8> {
    let pairs: &[(u8, u8)] = if transport == Transport::ICMP {
        &[(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)]
    } else {
        &[(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)]
    };
    pairs.iter().find_map(|&(q, a)| {
        if q == kind {
            Some(a)
        } else if a == kind {
            Some(q)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Vectors of the specification's baseline (baseline_deflt.json), as printed in the peer's test captures.
    #[test]
    fn vectors_of_the_specification() {
        let id = |s: &str, sp, d: &str, dp, t, icmp| {
            let (s, d) = (Endpoint::new(s.parse().unwrap(), sp), Endpoint::new(d.parse().unwrap(), dp));
            String::from_utf8(community_id(s, d, t, icmp).to_vec()).unwrap()
        };
        let tcp = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(id("128.232.110.120", 34855, "66.35.250.204", 80, Transport::TCP, None), tcp);
        assert_eq!(id("66.35.250.204", 80, "128.232.110.120", 34855, Transport::TCP, None), tcp);
        let udp = "1:d/FP5EW3wiY1vCndhwleRRKHowQ=";
        assert_eq!(id("192.168.1.52", 54585, "8.8.8.8", 53, Transport::UDP, None), udp);
        let ping = "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=";
        assert_eq!(id("192.168.0.89", 0, "192.168.0.1", 0, Transport::ICMP, Some((8, 0))), ping);
        assert_eq!(id("192.168.0.1", 0, "192.168.0.89", 0, Transport::ICMP, Some((0, 0))), ping);
    }
}
