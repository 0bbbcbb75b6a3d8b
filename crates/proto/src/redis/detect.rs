//! Recognising RESP: by first bytes, and in the middle of bytes that make no sense.

use memchr::{memchr, memchr_iter};

use super::codec::{Count, count, only_answers};
use super::verbs::is_message;
use crate::Guess;

/// What looks like the start of a message inside bytes that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Here one begins.
    At(usize),
    /// Nothing; forget everything before this place.
    Drop(usize),
}

/// Where the next command begins: an array of strings at the start of a line.
pub(super) fn find_command(bytes: &[u8]) -> Found {
    for at in memchr_iter(b'*', bytes) {
        if at > 0 && bytes[at - 1] != b'\n' {
            continue;
        }
        match count(&bytes[at..]) {
            Count::Short => return Found::Drop(at),
            Count::Number(1.., used) => match (bytes.get(at + used), bytes.get(at + used..).map(count)) {
                (None, _) | (Some(b'$'), None | Some(Count::Short)) => return Found::Drop(at),
                (Some(b'$'), Some(Count::Number(..))) => return Found::At(at),
                _ => {}
            },
            _ => {}
        }
    }
    Found::Drop(bytes.len())
}

/// Where the next answer may begin: at the start of these bytes or of a line.
pub(super) fn find_answer(bytes: &[u8]) -> Found {
    const LINE: usize = 64;
    for at in std::iter::once(0).chain(memchr_iter(b'\n', bytes).map(|n| n + 1)) {
        let rest = &bytes[at..];
        let Some(first) = rest.first() else { return Found::Drop(at) };
        match first {
            b'+' | b'-' => {
                let line = memchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
                let word = line.get(1).is_none_or(u8::is_ascii_uppercase);
                if word && line.iter().all(|b| *b >= b' ' || *b == b'\r') {
                    if line.len() < rest.len() {
                        return Found::At(at);
                    }
                    if line.len() < LINE {
                        return Found::Drop(at);
                    }
                }
            }
            b':' | b'$' | b'*' | b'%' | b'~' | b'>' => match count(rest) {
                Count::Short => return Found::Drop(at),
                Count::Number(..) | Count::Null(_) => return Found::At(at),
                _ => {}
            },
            _ => {}
        }
    }
    Found::Drop(bytes.len())
}

/// Whether first bytes of one side are RESP, or an inline command that nothing else could be.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    match bytes.first() {
        None => Guess::More,
        Some(b'*') => guess_array(bytes),
        Some(b'a'..=b'z' | b'A'..=b'Z') => guess_inline(bytes),
        Some(_) => guess_answer(bytes),
    }
}

fn guess_array(bytes: &[u8]) -> Guess {
    let rest = match count(bytes) {
        Count::Short => return Guess::More,
        Count::Number(1.., used) => &bytes[used..],
        _ => return Guess::No,
    };
    match (rest.first(), count(rest)) {
        (None, _) | (Some(b'$' | b':' | b'*'), Count::Short) => Guess::More,
        // Only answers hold numbers and arrays.
        (Some(b':' | b'*'), Count::Number(..)) => Guess::Server,
        (Some(b'$'), Count::Number(n @ 1..=64, used)) => {
            let word = &rest[used..];
            let n = n as usize;
            let (word, end) = word.split_at(n.min(word.len()));
            let fits = word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
            if !fits
                || !word.first().is_none_or(u8::is_ascii_alphabetic)
                || !b"\r\n".starts_with(&end[..end.len().min(2)])
            {
                return Guess::No;
            }
            match word.len() == n {
                true if is_message(word) => Guess::Server,
                true => Guess::Client,
                false => Guess::More,
            }
        }
        _ => Guess::No,
    }
}

fn guess_answer(bytes: &[u8]) -> Guess {
    const LINES: [&str; 28] = [
        "+PONG\r\n",
        "+QUEUED\r\n",
        "+FULLRESYNC ",
        "+CONTINUE",
        "-ERR unknown command '",
        "-ERR unknown command `",
        "-ERR wrong number of arguments for '",
        "-NOAUTH ",
        "-WRONGPASS ",
        "-WRONGTYPE ",
        "-MOVED ",
        "-ASK ",
        "-LOADING ",
        "-READONLY ",
        "-NOSCRIPT ",
        "-MASTERDOWN ",
        "-DENIED ",
        "-NOPERM ",
        "-CLUSTERDOWN ",
        "-CROSSSLOT ",
        "-BUSY ",
        "-EXECABORT ",
        "-MISCONF ",
        "-OOM ",
        "-BUSYKEY ",
        "-NOPROTO ",
        "-NOGROUP ",
        "-BUSYGROUP ",
    ];
    match bytes {
        [b'+' | b'-', ..] => {
            if LINES.iter().any(|l| bytes.starts_with(l.as_bytes())) {
                Guess::Server
            } else if LINES.iter().any(|l| l.as_bytes().starts_with(bytes)) {
                Guess::More
            } else {
                Guess::No
            }
        }
        [kind @ (b'$' | b':' | b'%' | b'~' | b'>'), ..] => match count(bytes) {
            Count::Short => Guess::More,
            Count::Null(_) if *kind == b'$' => Guess::Server,
            Count::Number(n, used) => {
                let rest = &bytes[used..];
                let fits = match kind {
                    b'$' => usize::try_from(n)
                        .ok()
                        .and_then(|n| rest.get(n..))
                        .is_none_or(|end| b"\r\n".starts_with(&end[..end.len().min(2)])),
                    _ => rest.first().is_none_or(|b| *b == b'*' || only_answers(*b)),
                };
                // An empty map or set is too little to go by.
                if fits && (n > 0 || *kind == b':' || *kind == b'$') { Guess::Server } else { Guess::No }
            }
            _ => Guess::No,
        },
        _ => Guess::No,
    }
}

/// Inline commands that no other protocol's first line is. Some words are memcached's too, which knows them in lower
/// case only, or HTTP's, whose targets are paths.
fn guess_inline(bytes: &[u8]) -> Guess {
    const ALONE: [&str; 9] =
        ["PING", "INFO", "MONITOR", "MULTI", "DBSIZE", "COMMAND", "FLUSHALL", "FLUSHDB", "RANDOMKEY"];
    const WITH: [(&str, &[&str]); 4] = [
        (
            "CLIENT",
            &["REPLY", "LIST", "SETNAME", "GETNAME", "ID", "KILL", "INFO", "SETINFO", "TRACKING", "NO-EVICT"],
        ),
        ("CONFIG", &["GET", "SET", "RESETSTAT", "REWRITE"]),
        ("HELLO", &["2", "3"]),
        ("DEBUG", &["PROTOCOL", "SLEEP", "OBJECT"]),
    ];
    const ANY_CASE: [(&str, usize, usize); 16] = [
        ("SUBSCRIBE", 1, 64),
        ("PSUBSCRIBE", 1, 64),
        ("KEYS", 1, 1),
        ("LPUSH", 2, 64),
        ("RPUSH", 2, 64),
        ("LRANGE", 3, 3),
        ("HSET", 3, 64),
        ("HGET", 2, 2),
        ("HGETALL", 1, 1),
        ("SADD", 2, 64),
        ("ZADD", 3, 64),
        ("EXISTS", 1, 64),
        ("TTL", 1, 1),
        ("EVAL", 2, 64),
        ("REPLICAOF", 2, 2),
        ("SLAVEOF", 2, 2),
    ];
    const UPPER: [(&str, usize, usize); 6] =
        [("SET", 2, 3), ("GET", 1, 1), ("DEL", 1, 64), ("INCR", 1, 1), ("DECR", 1, 1), ("MSET", 2, 64)];
    let line = match memchr(b'\n', bytes) {
        Some(end) => &bytes[..end],
        None if bytes.iter().all(|b| *b >= b' ' || *b == b'\r') => return Guess::More,
        None => return Guess::No,
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.iter().any(|b| !(b' '..=b'~').contains(b)) {
        return Guess::No;
    }
    let mut words = line.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let Some(verb) = words.next() else { return Guess::No };
    let second = words.next();
    let more = usize::from(second.is_some()) + words.count();
    let is = |w: &str| verb.eq_ignore_ascii_case(w.as_bytes());
    let select = is("SELECT") && more == 1 && second.is_some_and(|n| n.iter().all(u8::is_ascii_digit));
    let yes = select
        || more == 0 && ALONE.iter().any(|w| is(w))
        || WITH.iter().any(|(w, subs)| {
            is(w) && second.is_some_and(|s| subs.iter().any(|x| s.eq_ignore_ascii_case(x.as_bytes())))
        })
        || ANY_CASE.iter().any(|(w, least, most)| is(w) && (*least..=*most).contains(&more))
        || UPPER.iter().any(|(w, least, most)| {
            verb == w.as_bytes()
                && (*least..=*most).contains(&more)
                && second.is_some_and(|s| !s.starts_with(b"/") && !s.starts_with(b"http"))
        });
    if yes { Guess::Client } else { Guess::No }
}
