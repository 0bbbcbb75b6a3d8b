//! The words every room of wirebeat speaks: time, flow key, direction, frame, field, event, JSON, counters.
//!
//! This crate does no I/O and knows no other room.

mod frame;
mod key;
mod time;

pub use frame::{Frame, LinkType};
pub use key::{Dir, Endpoint, FlowKey, Transport, ip_addr};
pub use time::{Precision, Time};
