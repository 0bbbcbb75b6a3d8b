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

/// Requests of one flow that wait for their answers, oldest first, at most [`Pending::MAX`] or as many as
/// [`Pending::with_limits`] says.
///
/// Memory is borrowed from the shard's budget; taken-out requests go back with [`Pending::done`], which keeps their
/// memory for the next ones.
#[derive(Debug)]
pub struct Pending<K, T> {
    queue: VecDeque<Waiting<K, T>>,
    /// Bytes of their fields.
    bytes: usize,
    max_requests: usize,
    max_bytes: usize,
    spare: Vec<Entries>,
    /// What `spare` has reserved.
    spare_bytes: usize,
}

impl<K: PartialEq, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self::with_limits(Self::MAX, usize::MAX)
    }
}

impl<K: PartialEq, T> Pending<K, T> {
    /// Requests one flow may keep waiting. The next one pushes the oldest out.
    pub const MAX: usize = 1024;

    /// Bytes kept for the next requests, and the most of one of them.
    const SPARE: usize = 64 * 1024;
    const SPARE_ONE: usize = 16 * 1024;

    /// At most so many requests, with so many bytes of fields: for protocols whose options say so. Who uses it asks
    /// [`Pending::crowded`] before each push.
    pub fn with_limits(max_requests: usize, max_bytes: usize) -> Self {
        let max_requests = max_requests.max(1);
        Self { queue: VecDeque::new(), bytes: 0, max_requests, max_bytes, spare: Vec::new(), spare_bytes: 0 }
    }

    /// Empty entries to fill with a request's fields.
    pub fn entries(&mut self) -> Entries {
        let fields = self.spare.pop().unwrap_or_default();
        self.spare_bytes -= fields.capacity();
        fields
    }

    /// Gives entries back that wait for nothing.
    pub fn unused(&mut self, mut fields: Entries) {
        let size = fields.capacity();
        if (1..=Self::SPARE_ONE).contains(&size) && self.spare_bytes + size <= Self::SPARE {
            fields.clear();
            self.spare_bytes += size;
            self.spare.push(fields);
        }
    }

    /// Takes the oldest out if there is no room for these fields: call until `None`, publish each as unanswered.
    pub fn crowded(&mut self, fields: &Entries, cx: &mut Cx<'_>) -> Option<Waiting<K, T>> {
        let full = self.queue.len() >= self.max_requests || self.bytes + fields.byte_len() > self.max_bytes;
        if !full || self.queue.is_empty() {
            return None;
        }
        cx.counters.pending_evicted += 1;
        self.pop()
    }

    /// A request waits from now on. Answers the one that had to go for it, if any: publish it as unanswered.
    pub fn push(
        &mut self,
        key: K,
        start: Time,
        bytes: u64,
        fields: Entries,
        more: T,
        cx: &mut Cx<'_>,
    ) -> Option<Waiting<K, T>> {
        let size = fields.byte_len() + size_of::<Waiting<K, T>>();
        let mut out = None;
        if self.queue.len() >= self.max_requests {
            cx.counters.pending_evicted += 1;
            out = self.pop();
        }
        let borrowed = if cx.budget.take(size) {
            size
        } else {
            // The oldest gives way; without one the newcomer is kept all the same: it is small and bounded by number.
            if out.is_none() && !self.queue.is_empty() {
                cx.counters.pending_evicted += 1;
                out = self.pop();
            }
            0
        };
        cx.wake_at(start + cx.common.transaction_timeout);
        self.bytes += fields.byte_len();
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
        let out = self.queue.pop_front();
        self.out(out)
    }

    fn out(&mut self, waiting: Option<Waiting<K, T>>) -> Option<Waiting<K, T>> {
        // A protocol may have added to the newest through `back_mut`.
        self.bytes = self.bytes.saturating_sub(waiting.as_ref().map_or(0, |w| w.fields.byte_len()));
        waiting
    }

    /// Takes the oldest with this key out.
    pub fn take(&mut self, key: &K) -> Option<Waiting<K, T>> {
        let at = self.queue.iter().position(|w| w.key == *key)?;
        let out = self.queue.remove(at);
        self.out(out)
    }

    /// Takes the oldest out for which `wanted` holds: where a key alone may be someone else's by now.
    pub fn take_where(&mut self, wanted: impl Fn(&Waiting<K, T>) -> bool) -> Option<Waiting<K, T>> {
        let at = self.queue.iter().position(wanted)?;
        let out = self.queue.remove(at);
        self.out(out)
    }

    /// Takes one out whose time is up: call until `None`. Asks to be woken for the next.
    pub fn expired(&mut self, cx: &mut Cx<'_>) -> Option<Waiting<K, T>> {
        let deadline = self.queue.front()?.start + cx.common.transaction_timeout;
        if deadline <= cx.clock {
            return self.pop();
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
        self.unused(waiting.fields);
        waiting.more
    }

    /// Forgets all; must be empty but for what [`crate::Parser::close`] has published.
    pub fn reset(&mut self) {
        debug_assert!(self.queue.is_empty(), "reset before close");
        self.queue.clear();
        self.queue.shrink_to(Self::MAX);
        self.bytes = 0;
    }
}
