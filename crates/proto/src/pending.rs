//! Requests that wait for their answers.

use std::collections::VecDeque;

use wirebeat_model::{Entries, Time};

use crate::Cx;

/// A request that waits.
#[derive(Debug)]
pub struct Waiting<K, T> {
    /// What its answer is known by; `()` where answers come in order.
    pub key: K,
    /// First byte.
    pub start: Time,
    /// Its bytes on the wire.
    pub bytes: u64,
    /// Fields of the request's half of the event.
    pub fields: Entries,
    /// What the protocol wants to remember beside.
    pub more: T,
    borrowed: usize,
}

/// Requests of one flow that wait for their answers, oldest first, at most [`Pending::MAX`].
///
/// Memory is borrowed from the shard's budget; taken-out requests go back with [`Pending::done`], which keeps their
/// memory for the next ones.
#[derive(Debug)]
pub struct Pending<K, T> {
    queue: VecDeque<Waiting<K, T>>,
    spare: Vec<Entries>,
}

impl<K, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), spare: Vec::new() }
    }
}

impl<K: PartialEq, T> Pending<K, T> {
    /// Requests one flow may keep waiting. The next one pushes the oldest out.
    pub const MAX: usize = 1024;

    /// Empty entries to fill with a request's fields.
    pub fn entries(&mut self) -> Entries {
        self.spare.pop().unwrap_or_default()
    }

    /// A request waits from now on. Answers the one that had to go for it, if any: publish it as unanswered.
    pub fn push(&mut self, key: K, start: Time, bytes: u64, fields: Entries, more: T, cx: &mut Cx<'_>) -> Option<Waiting<K, T>> {
        let size = fields.byte_len() + size_of::<Waiting<K, T>>();
        let mut out = None;
        if self.queue.len() >= Self::MAX {
            cx.counters.pending_evicted += 1;
            out = self.queue.pop_front();
        }
        let borrowed = if cx.budget.take(size) {
            size
        } else {
            // The oldest gives way; without one the newcomer is kept all the same: it is small and bounded by MAX.
            if out.is_none() && !self.queue.is_empty() {
                cx.counters.pending_evicted += 1;
                out = self.queue.pop_front();
            }
            0
        };
        cx.wake_at(start + cx.common.transaction_timeout);
        self.queue.push_back(Waiting { key, start, bytes, fields, more, borrowed });
        out
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// The oldest, left where it is.
    pub fn front(&self) -> Option<&Waiting<K, T>> {
        self.queue.front()
    }

    /// The newest, left where it is.
    pub fn back_mut(&mut self) -> Option<&mut Waiting<K, T>> {
        self.queue.back_mut()
    }

    /// Takes the oldest out.
    pub fn pop(&mut self) -> Option<Waiting<K, T>> {
        self.queue.pop_front()
    }

    /// Takes the oldest with this key out.
    pub fn take(&mut self, key: &K) -> Option<Waiting<K, T>> {
        let at = self.queue.iter().position(|w| w.key == *key)?;
        self.queue.remove(at)
    }

    /// Takes the oldest out for which `wanted` holds: where a key alone may be someone else's by now.
    pub fn take_where(&mut self, wanted: impl Fn(&Waiting<K, T>) -> bool) -> Option<Waiting<K, T>> {
        let at = self.queue.iter().position(wanted)?;
        self.queue.remove(at)
    }

    /// Takes one out whose time is up: call until `None`. Asks to be woken for the next.
    pub fn expired(&mut self, cx: &mut Cx<'_>) -> Option<Waiting<K, T>> {
        let deadline = self.queue.front()?.start + cx.common.transaction_timeout;
        if deadline <= cx.clock {
            return self.queue.pop_front();
        }
        cx.wake_at(deadline);
        None
    }

    /// Gives the memory of one that was taken out back.
    pub fn done(&mut self, waiting: Waiting<K, T>, cx: &mut Cx<'_>) {
        self.release(waiting, cx);
    }

    /// The same, and hands out what the protocol had put beside.
    pub fn release(&mut self, waiting: Waiting<K, T>, cx: &mut Cx<'_>) -> T {
        cx.budget.give(waiting.borrowed);
        let mut fields = waiting.fields;
        if self.spare.len() < 4 && fields.capacity() <= 16 * 1024 {
            fields.clear();
            self.spare.push(fields);
        }
        waiting.more
    }

    /// Forgets all; must be empty but for what [`crate::Parser::close`] has published.
    pub fn reset(&mut self) {
        debug_assert!(self.queue.is_empty(), "reset before close");
        self.queue.clear();
    }
}
