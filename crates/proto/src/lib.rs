//! Ordered bytes to transactions.
//!
//! A protocol is a [`Parser`] (the bytes of one conversation) and a [`Protocol`] (its name, ports, fields and options):
//! two files, `mod.rs` for the state and `codec.rs` for the bytes, and one line in the list below. What protocols have
//! in common is shared: [`Stream`] keeps leftovers and skips bodies, [`Pending`] pairs requests with answers,
//! [`Cursor`] reads with bounds, [`Cx`] emits events. `CONTRIBUTING.md` walks through a new protocol.
//!
//! Invariant: a protocol does no I/O, reads no clock, starts no thread, never panics and holds bounded memory per flow.

#![forbid(unsafe_code)]

mod cursor;
mod cx;
mod feed;
mod guess;
mod pending;
mod protocol;
#[cfg(test)]
mod testing;

pub use cursor::Cursor;
pub use cx::{Cx, Expectation, Sink, Transaction, put_nat};
pub use feed::{Stream, Verdict};
pub use guess::guess_name;
pub use pending::Pending;
pub use protocol::{
    Common, Entry, Factory, Guess, NoOptions, Options, Parser, Protocol, Setup, Spec, Step, Then,
};

use wirebeat_model::{Field, Schema};

/// The whole registration of a protocol: `module::Type`, whose module has a `pub static SPEC: Spec`.
macro_rules! protocols {
    ($($module:ident::$kind:ident),* $(,)?) => {
        $(pub mod $module;)*
        /// Every protocol, in the order in which first bytes are shown to them.
        pub static PROTOCOLS: &[Entry] = &[$(Entry::of::<$module::$kind>(&$module::SPEC)),*];
    };
}

protocols! {
    http::Http,
    icmp::Icmp,
    dns::Dns,
    redis::Redis,
}

/// The protocol of this name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    PROTOCOLS.iter().find(|p| p.spec.name == name)
}

/// Every field that events of this crate may have.
pub fn fields() -> Vec<&'static [&'static Field]> {
    let mut lists = vec![wirebeat_model::ecs::FIELDS];
    lists.extend(PROTOCOLS.iter().map(|p| p.spec.fields));
    lists
}

/// Installs a schema of these fields alone: for tests of this crate.
pub fn schema() -> &'static Schema {
    Schema::install(&fields())
}
