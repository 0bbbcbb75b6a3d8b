//! IP fragments to whole datagrams.

use wirebeat_model::{Budget, Counters, Time};

use crate::Packet;

/// A datagram put together.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The datagram as a packet; `wire_len` is that of all its frames together.
    pub packet: Packet<'a>,
    /// How many frames it came in.
    pub frames: u32,
    /// When the first of them came.
    pub start: Time,
}

/// Puts fragments together.
pub struct Defrag {}

impl Defrag {
    /// No fragments yet.
    pub fn new(_seed: u64) -> Self {
        Self {}
    }

    /// Takes a fragment (a packet whose `fragment` is set) and answers with the datagram when it is the last missing.
    ///
    /// `clock` is monotone.
    pub fn push(
        &mut self,
        _packet: &Packet<'_>,
        _time: Time,
        _clock: Time,
        _budget: &mut Budget,
        _counters: &mut Counters,
    ) -> Option<Whole<'_>> {
        None
    }

    /// Gives up what has waited too long; [`Defrag::push`] does it too.
    pub fn expire(&mut self, _clock: Time, _budget: &mut Budget, _counters: &mut Counters) {}

    /// Gives up everything.
    pub fn finish(&mut self, _budget: &mut Budget, _counters: &mut Counters) {}
}
