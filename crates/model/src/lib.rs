//! The words every room of wirebeat speaks: time, flow key, direction, frame, field, event, JSON, counters.
//!
//! This crate does no I/O and knows no other room.

mod budget;
mod community;
pub mod config;
mod counters;
pub mod ecs;
mod entries;
mod event;
mod field;
mod frame;
mod json;
mod key;
mod time;

pub use budget::Budget;
pub use community::{CommunityId, community_id};
pub use counters::Counters;
pub use entries::{
    ArrayBuilder, ArrayIter, Entries, EntryIter, MapBuilder, MapIter, NumberSlot, ObjectsBuilder,
    ObjectsIter, Scalar, Value,
};
pub use event::{Event, EventId, FlowInfo, Pool};
pub use field::{Class, Field, Kind, Schema, Unit};
pub use frame::{Frame, LinkType};
pub use json::{JsonWriter, NotAnEvent, read_event, write_str};
pub use key::{Dir, Endpoint, FlowKey, Transport, ip_addr};
pub use time::{Precision, Time};
