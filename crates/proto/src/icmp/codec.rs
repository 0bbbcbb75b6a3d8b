//! ICMP messages as bytes: the header both versions share (RFC 792, RFC 4443 §2.1), and which messages are answers.

use wirebeat_model::Transport;

/// Type, code and the four bytes after the checksum; what is in them depends on the type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) rest: [u8; 4],
}

impl Header {
    pub(super) const LEN: usize = 8;

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [kind, code, _, _, rest @ ..] = *bytes.first_chunk::<{ Self::LEN }>()?;
        Some(Self { kind, code, rest })
    }

    /// The number of the asking process, where [`role`] says that there is one.
    pub(super) fn id(&self) -> u16 {
        u16::from_be_bytes([self.rest[0], self.rest[1]])
    }

    /// The number of the question. Extended echo (RFC 8335 §2) has one byte for it, and flags after it.
    pub(super) fn sequence(&self, version: Version) -> u16 {
        let all = u16::from_be_bytes([self.rest[2], self.rest[3]]);
        let extended = match version {
            Version::V4 => matches!(self.kind, 42 | 43),
            Version::V6 => matches!(self.kind, 160 | 161),
        };
        if extended { all >> 8 } else { all }
    }
}

/// Which ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl Version {
    pub(super) fn of(transport: Transport) -> Self {
        if transport == Transport::ICMP6 { Self::V6 } else { Self::V4 }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }
}

/// What a message is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It wants an answer with the same id and sequence.
    Request,
    /// The answer to a request of this type.
    Reply(u8),
    /// It says that something went wrong with a packet, which it quotes.
    Error,
    /// Neither.
    Alone,
}

/// What a message of this type is to others.
pub(super) fn role(version: Version, kind: u8) -> Role {
    match version {
        Version::V4 => match kind {
            8 | 13 | 15 | 17 | 42 => Role::Request,
            0 => Role::Reply(8),
            14 | 16 | 18 | 43 => Role::Reply(kind - 1),
            3 | 4 | 11 | 12 => Role::Error,
            _ => Role::Alone,
        },
        Version::V6 => match kind {
            128 | 160 => Role::Request,
            129 | 161 => Role::Reply(kind - 1),
            // RFC 4443 §2.1: errors have numbers below 128.
            0..128 => Role::Error,
            _ => Role::Alone,
        },
    }
}
