//! Flows: finding them, their deadlines, the order of TCP bytes, and packets seen more than once.

mod buffers;
mod dedup;
mod table;
mod tcp;
mod timer;

pub use buffers::Buffers;
pub use dedup::{Dedup, Seen, twin_flips};
pub use table::{Slot, Table};
pub use tcp::{Segment, Sink, Tcp, TcpState};
pub use timer::{Wheel, boundary};
