//! What was served and what was refused, by name.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counts, since the start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: AtomicU64,)+
        }

        impl Counters {
            /// Name, value and meaning of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
                [$((stringify!($name), self.$name.load(Relaxed), concat!($($doc),+).trim_ascii())),+].into_iter()
            }
        }
    };
}

counters! {
    /// Connections taken.
    connections,
    /// Connections refused because all others were at work.
    connections_refused,
    /// Idle connections closed to make room for new ones.
    connections_evicted,
    /// Connections closed because the client read nothing of an answer for too long.
    stalled,
    /// Connections that could not be taken (too many open files).
    accept_errors,
    /// Requests begun.
    requests,
    /// Requests refused for their host, their origin or a missing password.
    forbidden,
    /// Requests whose body was too large, too slow or broken.
    bad_bodies,
    /// Requests refused because too many were waiting.
    busy,
    /// Requests that were not answered in time.
    overdue,
    /// Requests whose handling failed by a fault of ours.
    panics,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
