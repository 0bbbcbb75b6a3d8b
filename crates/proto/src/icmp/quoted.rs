//! The packet that an ICMP error quotes, and so the flow it is about (RFC 792, RFC 4443 §3, RFC 4861 §4.5).

use wirebeat_model::{CommunityId, Endpoint, Transport, community_id};

use super::codec::{Header, Role, Version, role};

/// What is left of a packet in an ICMP error. At least 8 bytes after its IP header are there in a valid one; what
/// RFC 4884 may append after it is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Who sent it; the port is 0 where `whole` is not set.
    pub(super) from: Endpoint,
    /// To whom.
    pub(super) to: Endpoint,
    pub(super) transport: Transport,
    /// Whether the ports are there, if the transport has any: a later fragment or a short quotation has none.
    pub(super) whole: bool,
    /// Type and code of a quoted ICMP message.
    icmp: Option<(u8, u8)>,
}

impl Quoted {
    /// The community id of the flow; `None` when the quotation is too short to tell.
    pub(super) fn community_id(&self) -> Option<CommunityId> {
        self.whole.then(|| community_id(self.from, self.to, self.transport, self.icmp))
    }
}

/// The flow that an ICMP or ICMPv6 error is about: who sent the packet it quotes, to whom, over what.
///
/// `message` is the whole message from its type byte. `None` when it is no error, or quotes too little to name a flow.
/// Ports are 0 where the quoted transport has none.
pub fn quoted_flow(message: &[u8], transport: Transport) -> Option<(Endpoint, Endpoint, Transport)> {
    let quoted = read(message, Version::of(transport)).filter(|q| q.whole)?;
    Some((quoted.from, quoted.to, quoted.transport))
}

/// Reads the quotation in a message, if its type has one.
pub(super) fn read(message: &[u8], version: Version) -> Option<Quoted> {
    let header = Header::read(message)?;
    let rest = message.get(Header::LEN..)?;
    match (version, header.kind) {
        // Redirects quote too.
        (Version::V4, 5) => packet(rest),
        (Version::V6, 137) => packet(redirected(rest)?),
        (_, kind) if role(version, kind) == Role::Error => packet(rest),
        _ => None,
    }
}

/// The Redirected Header option (type 4), after the two addresses of a redirect (RFC 4861 §4.6.3).
fn redirected(rest: &[u8]) -> Option<&[u8]> {
    let mut options = rest.get(32..)?;
    loop {
        let [kind, len] = *options.first_chunk()?;
        let len = usize::from(len) * 8;
        if kind == 4 {
            return options.get(8..);
        }
        // A length of 0 is not allowed and would not end.
        options = options.get(len..).filter(|_| len > 0)?;
    }
}

fn packet(bytes: &[u8]) -> Option<Quoted> {
    match bytes.first()? >> 4 {
        4 => v4(bytes),
        6 => v6(bytes),
        _ => None,
    }
}

/// RFC 791 §3.1.
fn v4(bytes: &[u8]) -> Option<Quoted> {
    let head: &[u8; 20] = bytes.first_chunk()?;
    let len = usize::from(head[0] & 15) * 4;
    let first = u16::from_be_bytes([head[6], head[7]]) & 0x1fff == 0;
    let ip = |at: usize| Some(Endpoint::v4(*head.get(at..)?.first_chunk()?, 0));
    let payload = bytes.get(len..).filter(|_| first && len >= 20).unwrap_or_default();
    Some(ended(ip(12)?, ip(16)?, Transport(head[9]), payload))
}

/// RFC 8200 §3, with the extension headers of §4 passed over.
fn v6(bytes: &[u8]) -> Option<Quoted> {
    let head: &[u8; 40] = bytes.first_chunk()?;
    let ip = |at: usize| Some(Endpoint::v6(*head.get(at..)?.first_chunk()?, 0));
    let (mut next, mut rest) = (head[6], &bytes[40..]);
    // No packet has as many.
    for _ in 0..8 {
        let len = match (next, rest) {
            // A later fragment: what follows its header is data.
            (44, [after, _, high, low, ..]) if u16::from_be_bytes([*high, *low]) & 0xfff8 != 0 => {
                (next, rest) = (*after, &[]);
                break;
            }
            (44, _) => 8,
            // Hop-by-hop, routing, destination options, mobility.
            (0 | 43 | 60 | 135, [_, len, ..]) => usize::from(*len) * 8 + 8,
            // Authentication header: in words of 4.
            (51, [_, len, ..]) => usize::from(*len) * 4 + 8,
            _ => break,
        };
        let (Some(after), Some(payload)) = (rest.first(), rest.get(len..)) else { return None };
        (next, rest) = (*after, payload);
    }
    Some(ended(ip(8)?, ip(24)?, Transport(next), rest))
}

/// Adds what the first bytes of the transport's header tell.
fn ended(mut from: Endpoint, mut to: Endpoint, transport: Transport, payload: &[u8]) -> Quoted {
    let (mut whole, mut icmp) = (true, None);
    if transport.has_ports() {
        match payload.first_chunk() {
            Some([a, b, c, d]) => {
                from.port = u16::from_be_bytes([*a, *b]);
                to.port = u16::from_be_bytes([*c, *d]);
            }
            None => whole = false,
        }
    } else if matches!(transport, Transport::ICMP | Transport::ICMP6) {
        match payload {
            [kind, code, ..] => icmp = Some((*kind, *code)),
            _ => whole = false,
        }
    }
    Quoted { from, to, transport, whole, icmp }
}
