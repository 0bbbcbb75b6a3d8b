//! What the server says unasked, and the subscriptions that make it do so.

use wirebeat_model::{Dir, ecs};

use super::verbs::{Space, Verb};
use super::{ATTRIBUTES, PUSH, RETURN_VALUE, Redis, note};
use crate::{Cx, Then, Transaction};

impl Redis {
    /// One of the answers to SUBSCRIBE and its kin.
    pub(super) fn confirm(&mut self, verb: Verb, answers: u64, cx: &mut Cx<'_>) -> Option<Then> {
        let [had, wanted] = &mut self.confirmed;
        if *had == 0 {
            *wanted = match verb {
                // Without words: all there are; one answer if there are none.
                Verb::Unsubscribe(space) if answers == 0 => self.subscriptions[space as usize].max(1),
                _ => answers,
            };
        }
        *had += 1;
        let last = *had >= *wanted;
        self.count(verb);
        let kept = &mut self.tell.kept;
        kept.base = 0;
        if last {
            self.publish_answer(&[], cx);
        } else {
            // The next one is written behind it.
            let over = kept.text.len().saturating_sub(self.setup.own.value_size);
            kept.text.truncate(kept.text.len() - over);
            kept.cut += over as u64;
            let wire = self.tell.wire;
            let start = self.tell.start;
            self.tell.over();
            self.answer.kind = 0;
            (self.tell.begun, self.tell.start, self.tell.wire) = (true, start, wire);
        }
        None
    }

    /// Follows how many subscriptions there are: each confirmation tells the number that is left.
    pub(super) fn count(&mut self, verb: Verb) {
        let now = self.answer.number;
        let (Verb::Subscribe(space) | Verb::Unsubscribe(space)) = verb else { return };
        let [channels, patterns, shards] = self.subscriptions;
        let before = if space == Space::Shards { shards } else { channels + patterns };
        let place = &mut self.subscriptions[space as usize];
        if now > before {
            *place += 1;
        } else if now < before {
            *place = place.saturating_sub(1);
        }
        if now == 0 {
            *place = 0;
        }
    }
    /// What the server says unasked is told alone.
    pub(super) fn push(&mut self, cx: &mut Cx<'_>) -> Option<Then> {
        self.tell.kept.mark(cx);
        let (m, a) = (&self.tell, &self.answer);
        let value = m.kept.text.get(m.kept.base..).unwrap_or_default();
        let method = if a.kind == b'+' { b"MONITOR" } else { a.word.get() };
        // PMESSAGE names the pattern first, then the channel.
        let channel = m.span(if method == b"pmessage" { 2 } else { 1 });
        let send = cx.common.send_response;
        let mut t = Transaction::new(self.client.unwrap_or(Dir::AtoB));
        (t.end, t.bytes[1]) = (Some(cx.now), Some(m.wire));
        t.notes = if m.loss { &[note::RESPONSE_LOSS] } else { &[] };
        cx.emit(&t, |f| {
            f.put_with(&ecs::METHOD, |out| out.extend(method.iter().map(u8::to_ascii_uppercase)));
            f.put_with(&ecs::EVENT_ACTION, |out| {
                out.extend_from_slice(b"redis.");
                out.extend(method.iter().map(u8::to_ascii_lowercase));
            });
            if !channel.is_empty() {
                f.put_text(&ecs::RESOURCE, channel);
            }
            f.put(&PUSH, true);
            Self::put_value(f, &RETURN_VALUE, value, send);
            if !a.attributes.is_empty() {
                f.put_text(&ATTRIBUTES, &a.attributes);
            }
        });
        self.finish_answer();
        None
    }
}
