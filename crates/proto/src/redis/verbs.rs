//! The commands that mean something for what follows, and the words by which answers are known.

use memchr::memchr;

/// What subscriptions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Channels,
    Patterns,
    Shards,
}

/// Commands that mean something for what follows, or whose words or answers hold secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verb {
    #[default]
    Plain,
    Acl,
    Auth,
    /// Waits until there is something to answer, or its own time is over.
    Blocks,
    Client,
    Config,
    Discard,
    Exec,
    Hello,
    Migrate,
    Module,
    Monitor,
    Multi,
    Psync,
    /// Waits if it says `BLOCK`.
    Read,
    Reset,
    Sentinel,
    Slowlog,
    Subscribe(Space),
    Sync,
    Unsubscribe(Space),
}

impl Verb {
    /// Of a command's first word.
    pub(super) fn of(word: &[u8]) -> Self {
        let mut upper = [0; 16];
        let Some(upper) = upper.get_mut(..word.len()) else { return Self::Plain };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        match &*upper {
            b"ACL" => Self::Acl,
            b"AUTH" => Self::Auth,
            b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX"
            | b"BZMPOP" => Self::Blocks,
            b"WAIT" | b"WAITAOF" => Self::Blocks,
            b"CLIENT" => Self::Client,
            b"CONFIG" => Self::Config,
            b"DISCARD" => Self::Discard,
            b"EXEC" => Self::Exec,
            b"HELLO" => Self::Hello,
            b"MIGRATE" => Self::Migrate,
            b"MODULE" => Self::Module,
            b"MONITOR" => Self::Monitor,
            b"MULTI" => Self::Multi,
            b"PSYNC" => Self::Psync,
            b"XREAD" | b"XREADGROUP" => Self::Read,
            b"RESET" => Self::Reset,
            b"SENTINEL" => Self::Sentinel,
            b"SLOWLOG" => Self::Slowlog,
            b"SUBSCRIBE" => Self::Subscribe(Space::Channels),
            b"PSUBSCRIBE" => Self::Subscribe(Space::Patterns),
            b"SSUBSCRIBE" => Self::Subscribe(Space::Shards),
            b"SYNC" => Self::Sync,
            b"UNSUBSCRIBE" => Self::Unsubscribe(Space::Channels),
            b"PUNSUBSCRIBE" => Self::Unsubscribe(Space::Patterns),
            b"SUNSUBSCRIBE" => Self::Unsubscribe(Space::Shards),
            _ => Self::Plain,
        }
    }
}

/// Whether a command's second word is part of its name: Packetbeat's four and those that came after it.
pub(super) fn has_subcommands(word: &[u8]) -> bool {
    let names: [&[u8]; 13] = [
        b"CLIENT",
        b"CONFIG",
        b"DEBUG",
        b"SCRIPT",
        b"ACL",
        b"CLUSTER",
        b"COMMAND",
        b"FUNCTION",
        b"LATENCY",
        b"MEMORY",
        b"MODULE",
        b"XGROUP",
        b"XINFO",
    ];
    names.iter().any(|n| n.eq_ignore_ascii_case(word))
}

/// Of the first element of a confirmation (RESP2: array, RESP3: push): what it is about, and whether it adds.
pub(super) fn confirmation(word: &[u8]) -> Option<Verb> {
    let verb = Verb::of(word);
    matches!(verb, Verb::Subscribe(_) | Verb::Unsubscribe(_)).then_some(verb)
}

/// Whether an array that begins so is a published message (RESP2 has no type of its own for them).
pub(super) fn is_message(word: &[u8]) -> bool {
    matches!(word, b"message" | b"pmessage" | b"smessage")
}

/// Whether a line is one of MONITOR's, e.g. `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`: where the command begins.
pub(super) fn monitor_line(line: &[u8]) -> Option<usize> {
    let digits = |from: usize| line[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let seconds = digits(0);
    if seconds == 0 || line.get(seconds) != Some(&b'.') {
        return None;
    }
    let micros = digits(seconds + 1);
    let at = seconds + 1 + micros;
    let rest = line.get(at..)?.strip_prefix(b" [")?;
    let end = memchr(b']', rest)?;
    Some((at + 2 + end + 2).min(line.len()))
}
