//! Whether first bytes are DNS.

use super::codec::Header;
use super::names;
use crate::{Guess, Spec};

/// DNS as a datagram, or with the length that TCP puts before it (RFC 1035 §4.2.2). Chance must not look like it: a
/// whole question or record with a known class is asked for, and counts that fit it.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    match (message(bytes), framed(bytes)) {
        (Guess::Client, _) | (_, Guess::Client) => Guess::Client,
        (Guess::Server, _) | (_, Guess::Server) => Guess::Server,
        (Guess::More, _) | (_, Guess::More) => Guess::More,
        (Guess::No, Guess::No) => Guess::No,
    }
}

pub(super) fn framed(bytes: &[u8]) -> Guess {
    let Some((len, rest)) = bytes.split_first_chunk() else { return Guess::More };
    let len = usize::from(u16::from_be_bytes(*len));
    // Header and the shortest question.
    if len < Header::LEN + 5 {
        return Guess::No;
    }
    // Within its frame a message is not cut.
    if rest.len() >= len { whole(message(&rest[..len])) } else { message(rest) }
}

fn whole(guess: Guess) -> Guess {
    if guess == Guess::More { Guess::No } else { guess }
}

fn message(bytes: &[u8]) -> Guess {
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let Some(flags) = word(2) else { return Guess::More };
    let header = Header { id: 0, flags, counts: [0; 4] };
    let (response, opcode, rcode) = (header.is_response(), header.opcode(), flags & 15);
    // The Z bit; QUERY, IQUERY, STATUS, NOTIFY, UPDATE.
    if flags & 0x40 != 0 || !matches!(opcode, 0..=2 | 4 | 5) {
        return Guess::No;
    }
    let refused = if response {
        !matches!(rcode, 0..=10)
    } else {
        rcode != 0 || header.has(Header::TC | Header::RA) || opcode == 0 && header.has(Header::AA)
    };
    if refused {
        return Guess::No;
    }
    let counts = [word(4), word(6), word(8), word(10)];
    // A multicast answer has no question (RFC 6762 §18).
    let multicast = response && word(0) == Some(0) && header.has(Header::AA) && opcode == 0;
    let fits = |i: usize, n: u16| match (i, response, opcode) {
        (0, true, 0) if multicast => n <= 64,
        (0, ..) => n == 1 || opcode == 0 && !response && word(0) == Some(0) && (1..=64).contains(&n),
        (1 | 2, _, 5) => n <= 1024,
        (1, false, 4) => n <= 1,
        // A multicast query says what it knows already.
        (1, false, _) => n == 0 || word(0) == Some(0) && n <= 512,
        (2, false, _) => n <= 1 || word(0) == Some(0) && n <= 64,
        (3, false, _) => n <= 2 || word(0) == Some(0) && n <= 64,
        (1, true, _) => n <= 4096,
        (2, true, _) => n <= 64,
        _ => n <= 255,
    };
    for (i, count) in counts.into_iter().enumerate() {
        match count {
            None => return Guess::More,
            Some(n) if !fits(i, n) => return Guess::No,
            Some(_) => {}
        }
    }
    if counts[0] == Some(0) && counts[1] == Some(0) {
        return Guess::No;
    }
    // Who answers a group without being asked is where the flow begins.
    let yes = if response && counts[0] != Some(0) { Guess::Server } else { Guess::Client };
    match name_kind_class(bytes) {
        // Longer than what is shown, and all of it looked right.
        Guess::More if bytes.len() >= Spec::GUESS_BYTES => yes,
        Guess::Client => yes,
        other => other,
    }
}

/// The first question or record: name, type, class.
fn name_kind_class(bytes: &[u8]) -> Guess {
    let mut at = Header::LEN;
    loop {
        let Some(&n) = bytes.get(at) else { return Guess::More };
        match n {
            0 => break,
            1..=63 => {
                let label = bytes.get(at + 1..).unwrap_or_default();
                let label = &label[..label.len().min(usize::from(n))];
                // Names of hosts and services, UTF-8 of multicast DNS, but nothing unprintable.
                if label.iter().any(|b| b.is_ascii_control()) {
                    return Guess::No;
                }
                // NetBIOS names are halves of bytes as letters, always 32 of them (RFC 1001 §14.1).
                if n == 32 && at == Header::LEN && label.iter().all(|b| (b'A'..=b'P').contains(b)) {
                    return Guess::No;
                }
                at += 1 + usize::from(n);
            }
            _ => return Guess::No,
        }
        if at > Header::LEN + 255 {
            return Guess::No;
        }
    }
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let (kind, class) = (word(at + 1), word(at + 3));
    // New types come up; they are of class IN.
    let known = class.is_none_or(|c| {
        c == 1 || matches!(c, 3 | 4 | 254 | 255 | 0x8001 | 0x80ff) && kind.is_some_and(|k| names::kind(k).is_some())
    });
    match (known, class) {
        (false, _) => Guess::No,
        (true, None) => Guess::More,
        (true, Some(_)) => Guess::Client,
    }
}
