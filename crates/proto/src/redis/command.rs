//! What the client says: commands, as arrays or as lines.

use std::ops::Range;

use memchr::memchr;
use wirebeat_model::{Dir, ecs};

use super::codec::{Place, Token};
use super::detect::{Found, find_command};
use super::inline::{MAX_INLINE, plausible_inline, split};
use super::secrets::{Guard, Secret, Shown};
use super::verbs::{Verb, has_subcommands};
use super::{Next, Redis, note};
use crate::{Cx, Step, Then, Transaction};

/// What a command that waits is remembered by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) verb: Verb,
    pub(super) secret: Secret,
    /// Answers to come (SUBSCRIBE); 0: as many as there are subscriptions.
    pub(super) answers: u64,
    /// It waits for something to happen.
    pub(super) blocks: bool,
    /// A word of it was masked.
    pub(super) masked: bool,
    /// What was lost of it or before it.
    pub(super) loss: Option<&'static str>,
}

/// Which commands are answered (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Replies {
    #[default]
    On,
    Off,
    SkipNext,
}

/// The command that the client is saying.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) verb: Verb,
    pub(super) guard: Guard,
    pub(super) words: u64,
    pub(super) user: Range<usize>,
    pub(super) masked: bool,
    /// XREAD … BLOCK.
    pub(super) blocks: bool,
    /// The word that is not all there yet.
    pub(super) unfinished: Option<u64>,
    /// How far the end of an inline command was searched.
    pub(super) searched: usize,
}

impl Redis {
    pub(super) fn commands(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let next = if self.ask.reader.inside() {
                self.array(rest, cx)
            } else if self.ask.lost {
                match find_command(rest) {
                    Found::At(n) => {
                        self.ask.lost = false;
                        Next::Go(n)
                    }
                    Found::Drop(n) => self.drop_garbage(true, n, rest.len()),
                }
            } else {
                match rest.first() {
                    None => Next::Stop(0, Then::Need(1)),
                    Some(b'*') => {
                        self.ask.begin(cx.now);
                        self.array(rest, cx)
                    }
                    Some(_) => {
                        self.ask.begin(cx.now);
                        self.inline(rest, cx)
                    }
                }
            };
            match next {
                Next::Go(n) => at += n,
                Next::Stop(n, then) => return Step { used: at + n, then },
            }
        }
    }

    /// A command as an array of strings (RESP: sending commands to a Redis server).
    pub(super) fn array(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
        let (used, token) = self.ask.reader.next(rest);
        self.ask.wire += used as u64;
        match token {
            Token::Short(n) => return Next::Stop(used, Then::Need(n)),
            Token::Open { kind: b'*', count: Some(words), place: Place { depth: 0, .. } } => {
                self.command = Command { words, ..Command::default() };
            }
            Token::Text { kind: b'$', piece, first, last, place: Place { depth: 1, index, .. } } => {
                self.word(index, piece, first, last, cx);
                if !last
                    && self.ask.kept.full()
                    && let Some(n) = self.ask.reader.skip()
                {
                    self.ask.wire += n;
                    self.ask.kept.cut += n - 2;
                    return Next::Stop(used, Then::Skip(n));
                }
            }
            // Nothing is asked by it, and nothing answered.
            Token::Nil(Place { depth: 0, .. }) => {}
            Token::Close { .. } => self.asked(None, cx),
            _ => return self.nonsense(true, rest.len(), cx),
        }
        if self.ask.reader.complete() {
            self.ask.over();
            self.ask.kept.clear();
            self.command = Command::default();
        }
        Next::Go(used)
    }

    /// A command as people type it (RESP: inline commands).
    pub(super) fn inline(&mut self, rest: &[u8], cx: &mut Cx<'_>) -> Next {
        let from = self.command.searched.min(rest.len());
        let Some(end) = memchr(b'\n', &rest[from..]) else {
            if rest.len() > MAX_INLINE {
                return self.nonsense(true, rest.len(), cx);
            }
            self.command.searched = rest.len();
            return Next::Stop(0, Then::Need(rest.len() + 1));
        };
        let end = from + end;
        self.command.searched = 0;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if line.iter().all(|b| matches!(b, b' ' | b'\t')) {
            self.ask.over();
            return Next::Go(end + 1);
        }
        if !plausible_inline(line) {
            return self.nonsense(true, rest.len(), cx);
        }
        self.ask.wire += end as u64 + 1;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut words = 0;
        split(line, &mut scratch, |_| words += 1);
        self.command = Command { words, ..Command::default() };
        let mut index = 0;
        split(line, &mut scratch, |word| {
            self.word(index, word, true, true, cx);
            index += 1;
        });
        scratch.clear();
        self.scratch = scratch;
        self.asked(None, cx);
        self.ask.over();
        self.ask.kept.clear();
        self.command = Command::default();
        Next::Go(end + 1)
    }

    /// A piece of a word of the command.
    #[inline]
    pub(super) fn word(&mut self, index: u64, piece: &[u8], first: bool, last: bool, cx: &mut Cx<'_>) {
        let limit = self.setup.own.value_size;
        let m = &mut self.ask;
        if first {
            if index > 0 {
                m.kept.push(b" ", limit);
            }
            m.element = m.kept.text.len();
        }
        m.kept.push(piece, limit);
        let c = &mut self.command;
        c.unfinished = (!last).then_some(index);
        if !last {
            return;
        }
        let element = m.element.min(m.kept.text.len());
        let said = &m.kept.text[element..];
        if index == 0 {
            c.verb = Verb::of(said);
            c.guard = Guard::new(c.verb, c.words);
            c.blocks = c.verb == Verb::Blocks;
        } else if c.verb == Verb::Read {
            c.blocks |= said.eq_ignore_ascii_case(b"BLOCK");
        } else if c.guard.active() {
            match c.guard.word(index, said) {
                Shown::All => {}
                Shown::User => c.user = element..m.kept.text.len(),
                Shown::First(n) => {
                    if !said.is_empty() {
                        m.kept.mask((element + n).min(m.kept.text.len()));
                    }
                    c.masked = true;
                    cx.counters.redacted += 1;
                }
            }
        }
        if let Some(span) = usize::try_from(index).ok().and_then(|i| m.spans.get_mut(i)) {
            *span = element..m.kept.text.len();
        }
    }

    /// A command is complete, or cut short by the end.
    pub(super) fn asked(&mut self, cut: Option<&'static str>, cx: &mut Cx<'_>) {
        let (m, c) = (&mut self.ask, &self.command);
        if c.words == 0 {
            return;
        }
        m.kept.mark(cx);
        let m = &self.ask;
        let text = &m.kept.text[..];
        let (verb, second) = (m.span(0), m.span(1));
        let named = second.len() <= 20 && second.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-');
        let double = !second.is_empty() && named && has_subcommands(verb);
        let name = if double { text.get(m.spans[0].start..m.spans[1].end).unwrap_or(verb) } else { verb };
        let name = &name[..name.len().min(64)];
        let mut f = self.pending.entries();
        f.put_with(&ecs::METHOD, |out| out.extend(name.iter().map(u8::to_ascii_uppercase)));
        f.put_with(&ecs::EVENT_ACTION, |out| {
            out.extend_from_slice(b"redis.");
            out.extend(name.iter().map(u8::to_ascii_lowercase));
        });
        let resource = m.span(if double { 2 } else { 1 });
        if !resource.is_empty() {
            f.put_text(&ecs::RESOURCE, resource);
        }
        f.put_text(&ecs::QUERY, text);
        if cx.common.send_request {
            f.put_text(&ecs::REQUEST, text);
        }
        if let Some(user) = text.get(c.user.clone()).filter(|u| !u.is_empty()) {
            f.put_text(&ecs::USER_NAME, user);
            f.put_array(&ecs::RELATED_USER, |a| a.push_text(user));
        }
        let is = |word: &str| second.eq_ignore_ascii_case(word.as_bytes());
        let asked = Asked {
            verb: c.verb,
            secret: match c.verb {
                Verb::Acl if is("GENPASS") => Secret::All,
                Verb::Acl if is("GETUSER") || is("LIST") => Secret::Hashes,
                Verb::Config if is("GET") => Secret::Settings,
                Verb::Sentinel => Secret::Settings,
                Verb::Slowlog if is("GET") => Secret::Commands,
                _ => Secret::Nothing,
            },
            answers: c.words - 1,
            blocks: c.blocks,
            masked: c.masked,
            loss: if m.loss { Some(note::REQUEST_LOSS) } else { self.unsure },
        };
        let silent = self.is_silent();
        let (start, wire, loss) = (self.ask.start, self.ask.wire, self.ask.loss);
        if silent && cut.is_none() {
            let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
            (t.start, t.bytes[0]) = (Some(start), Some(wire));
            t.notes = if loss { &[note::REQUEST_LOSS] } else { &[] };
            cx.emit(&t, |e| e.append(&f));
            return self.pending.unused(f);
        }
        while let Some(w) = self.pending.crowded(&f, cx) {
            self.owed += 1;
            self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
        }
        if let Some(w) = self.pending.push((), start, wire, f, asked, cx) {
            self.owed += 1;
            self.unanswered(w, &[note::UNMATCHED_REQUEST], cx);
        }
        if let Some(note) = cut {
            // Nothing can come behind it: it is told after those before it.
            while let Some(w) = self.pending.pop() {
                let notes = [note::UNMATCHED_REQUEST, note];
                let n = if self.pending.is_empty() { 2 } else { 1 };
                self.unanswered(w, &notes[..n], cx);
            }
        }
    }

    /// Follows CLIENT REPLY; answers whether this command has no answer.
    pub(super) fn is_silent(&mut self) -> bool {
        let (m, verb) = (&self.ask, self.command.verb);
        if verb == Verb::Reset {
            self.replies = Replies::On;
        } else if verb == Verb::Client && m.span(1).eq_ignore_ascii_case(b"REPLY") && self.command.words == 3
        {
            let what = m.span(2);
            if what.eq_ignore_ascii_case(b"ON") {
                self.replies = Replies::On;
            } else if what.eq_ignore_ascii_case(b"OFF") {
                self.replies = Replies::Off;
                return true;
            } else if what.eq_ignore_ascii_case(b"SKIP") {
                if self.replies != Replies::Off {
                    self.replies = Replies::SkipNext;
                }
                return true;
            }
        }
        match self.replies {
            Replies::On => false,
            Replies::Off => true,
            Replies::SkipNext => {
                self.replies = Replies::On;
                true
            }
        }
    }
}
