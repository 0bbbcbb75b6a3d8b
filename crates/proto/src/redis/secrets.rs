//! What of commands and answers nobody shall see.

use memchr::memmem;

use super::Redis;
use super::answer::Answer;
use super::codec::Place;
use super::command::Asked;
use super::inline::split;
use super::message::{MASK, Message};
use super::verbs::Verb;
use crate::Cx;

/// What of an answer may not be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Secret {
    #[default]
    Nothing,
    /// All of it: ACL GENPASS.
    All,
    /// Values of settings that are secrets: CONFIG GET.
    Settings,
    /// Hashes of passwords: ACL GETUSER, ACL LIST.
    Hashes,
    /// Words of other commands: SLOWLOG GET.
    Commands,
}

impl Verb {
    /// Whether its words may hold secrets.
    fn guarded(self) -> bool {
        matches!(
            self,
            Self::Acl
                | Self::Auth
                | Self::Config
                | Self::Hello
                | Self::Migrate
                | Self::Module
                | Self::Sentinel
        )
    }
}

/// What of a word may not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it may.
    All,
    /// It names the user who logs in.
    User,
    /// Only its first so many bytes may.
    First(usize),
}

/// Goes through the words of a command and says which are secrets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guard {
    verb: Verb,
    words: u64,
    /// What the next words are.
    next: Next,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Anything,
    /// A name or a value that only looks like a keyword.
    Plain,
    User,
    Secret,
}

impl Guard {
    /// For a command of so many words, the verb among them.
    pub(super) fn new(verb: Verb, words: u64) -> Self {
        Self { verb, words, next: Next::Anything }
    }

    /// The same for another verb.
    pub(super) fn with(self, verb: Verb) -> Self {
        Self::new(verb, self.words)
    }

    /// Whether any word may be a secret.
    pub(super) fn active(&self) -> bool {
        self.verb.guarded()
    }

    /// Looks at word `index` (the verb is 0).
    pub(super) fn word(&mut self, index: u64, word: &[u8]) -> Shown {
        if index == 0 {
            return Shown::All;
        }
        match std::mem::take(&mut self.next) {
            Next::Secret => return Shown::First(0),
            Next::User => {
                self.next = Next::Secret;
                return Shown::User;
            }
            Next::Plain => return Shown::All,
            Next::Anything => {}
        }
        match self.verb {
            // AUTH password, AUTH user password; with more words none is known to be a name.
            Verb::Auth if self.words == 3 && index == 1 => return Shown::User,
            Verb::Auth => return Shown::First(0),
            Verb::Hello if word.eq_ignore_ascii_case(b"SETNAME") => self.next = Next::Plain,
            Verb::Hello if index >= 2 && word.eq_ignore_ascii_case(b"AUTH") => self.next = Next::User,
            Verb::Migrate if index >= 6 && word.eq_ignore_ascii_case(b"AUTH") => self.next = Next::Secret,
            Verb::Migrate if index >= 6 && word.eq_ignore_ascii_case(b"AUTH2") => self.next = Next::User,
            // ACL SETUSER: passwords to add and to remove, plain and hashed.
            Verb::Acl if index >= 3 && matches!(word.first(), Some(b'>' | b'<' | b'#' | b'!')) => {
                return Shown::First(1);
            }
            // CONFIG SET name value …, SENTINEL SET master name value …, SENTINEL CONFIG SET name value …
            Verb::Config if index >= 2 && index.is_multiple_of(2) && names_secret(word) => {
                self.next = Next::Secret
            }
            Verb::Sentinel if index >= 3 && index % 2 == 1 && names_secret(word) => self.next = Next::Secret,
            // MODULE LOADEX path CONFIG name value … ARGS …
            Verb::Module if index >= 3 && names_secret(word) => self.next = Next::Secret,
            _ => {}
        }
        Shown::All
    }
}

/// Whether a setting of this name is a secret: requirepass, masterauth, tls-key-file-pass, auth-pass …
pub(super) fn names_secret(name: &[u8]) -> bool {
    let holds = |word: &[u8]| name.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    let ends =
        |word: &[u8]| name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word);
    (holds(b"pass") || holds(b"secret") || ends(b"auth")) && !ends(b"user")
}

/// The first hash of a password (64 hexadecimal digits) in a text.
pub(super) fn password_hash(text: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut run = 0;
    for (i, b) in text.iter().enumerate() {
        run = if b.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run == 64 {
            return Some(i + 1 - 64..i + 1);
        }
    }
    None
}

impl Redis {
    /// Masks an element of an answer that holds a secret.
    pub(super) fn censor(m: &mut Message, a: &mut Answer, element: usize, place: Place, cx: &mut Cx<'_>) {
        let text = &m.kept.text[element..];
        match a.secret {
            Secret::Settings if place.index % 2 == 1 => {
                if std::mem::take(&mut a.hide) && !text.is_empty() {
                    m.kept.mask(element);
                    cx.counters.redacted += 1;
                }
            }
            Secret::Settings => a.hide = names_secret(text),
            Secret::Hashes => {
                while let Some(hash) = password_hash(&m.kept.text[element..]) {
                    m.kept.text.splice(element + hash.start..element + hash.end, MASK.iter().copied());
                    cx.counters.redacted += 1;
                }
            }
            Secret::Commands if place.depth == 3 => {
                if place.index == 0 {
                    a.guard = a.guard.with(Verb::of(text));
                } else if let Shown::First(n) = a.guard.word(place.index, text) {
                    m.kept.mask((element + n).min(m.kept.text.len()));
                    cx.counters.redacted += 1;
                }
            }
            Secret::Commands | Secret::All | Secret::Nothing => {}
        }
    }

    /// Masks the secrets in a line of MONITOR, whose command begins at `at` (servers before 6.2 show them).
    pub(super) fn censor_line(&mut self, at: usize, cx: &mut Cx<'_>) {
        let mut line = std::mem::take(&mut self.scratch);
        line.clear();
        line.extend_from_slice(self.tell.kept.text.get(at..).unwrap_or_default());
        let (mut word, mut verb, mut words) = (Vec::new(), Verb::Plain, 0);
        split(&line, &mut word, |w| {
            verb = if words == 0 { Verb::of(w) } else { verb };
            words += 1;
        });
        let mut guard = Guard::new(verb, words);
        if guard.active() {
            let text = &mut self.tell.kept.text;
            text.truncate(at);
            let mut index = 0;
            split(&line, &mut word, |w| {
                text.extend_from_slice(if index > 0 { b" \"" } else { b"\"" });
                if let Shown::First(n) = guard.word(index, w) {
                    text.extend_from_slice(&w[..n.min(w.len())]);
                    text.extend_from_slice(MASK);
                    cx.counters.redacted += 1;
                } else {
                    text.extend_from_slice(w);
                }
                text.push(b'"');
                index += 1;
            });
        }
        self.scratch = line;
    }

    /// Takes out of an answer what may not be seen at all.
    pub(super) fn conceal(&mut self, asked: &Asked, failed: bool, partial: bool, cx: &mut Cx<'_>) {
        let kept = &mut self.tell.kept;
        let base = kept.base.min(kept.text.len());
        if failed {
            // "unknown command 'AUTH', with args beginning with: 'the password'"
            if let (true, Some(at)) = (asked.masked, memmem::find(&kept.text[base..], b"beginning with: ")) {
                kept.mask(base + at + b"beginning with: ".len());
                cx.counters.redacted += 1;
            }
            return;
        }
        let queued = kept.text[base..] == *b"QUEUED";
        let results = asked.verb == Verb::Exec && self.secret;
        // Of half an answer it cannot be said what is what.
        let all = asked.secret == Secret::All || (partial && asked.secret != Secret::Nothing);
        if (all && !queued) || results {
            kept.mask(base);
            self.answer.error = None;
            cx.counters.redacted += 1;
        }
        self.secret = (self.secret || (queued && asked.secret != Secret::Nothing)) && !results;
    }
}
