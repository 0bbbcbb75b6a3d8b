//! Bytes to packets to ordered streams; no I/O, no clock.
//!
//! - [`wire`]: one frame to one [`Packet`], header by header.
//! - [`Defrag`]: IP fragments to whole datagrams.
//! - [`flow`]: the flow [`flow::Table`], the timing [`flow::Wheel`], TCP order ([`flow::Tcp`]) and the filter for
//!   packets seen on more than one interface ([`flow::Dedup`]).
//!
//! Everything is driven by the time of packets. Nothing allocates per packet once warm.

#![forbid(unsafe_code)]

mod defrag;
pub mod flow;
pub mod wire;

pub use defrag::{Defrag, Whole};
pub use wire::{Fragment, L4, NotAPacket, Packet, decode};
