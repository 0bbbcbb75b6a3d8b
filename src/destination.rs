//! Where events go: lines of JSON, what is kept, or both.

use std::io;

use wirebeat_capture::live::Exclusion;
use wirebeat_model::Event;

use crate::keep::{Appender, Keeper};
use crate::lines::Lines;
use crate::serving::Serving;

/// Takes events in their final order.
#[derive(Default)]
pub struct Destination {
    /// Lines of JSON.
    pub lines: Option<Lines>,
    /// The way into a journal.
    pub appender: Option<Appender>,
    /// That journal and its store, when they end with this.
    pub keeper: Option<Keeper>,
    /// What is served meanwhile.
    pub serving: Option<Serving>,
}

impl Destination {
    /// Lines of JSON alone.
    pub fn lines(lines: Lines) -> Self {
        Self { lines: Some(lines), ..Self::default() }
    }

    /// Lines, if any, and what is kept.
    pub fn kept(lines: Option<Lines>, keeper: Keeper, serving: Option<Serving>) -> Self {
        Self { lines, appender: Some(keeper.appender()), keeper: Some(keeper), serving }
    }

    /// Takes events. What is kept is kept when this returns; lines reach their file when a block is full.
    ///
    /// # Errors
    /// When lines cannot be written. What cannot be kept is counted and told by the keeper.
    #[inline]
    pub fn write(&mut self, events: &[Event]) -> io::Result<()> {
        if let Some(appender) = &self.appender
            && !events.is_empty()
        {
            appender.append(events);
        }
        if let Some(lines) = &mut self.lines {
            for event in events {
                lines.write(event)?;
            }
        }
        Ok(())
    }

    /// Writes the lines that are buffered.
    ///
    /// # Errors
    /// When that fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.lines.as_mut().map_or(Ok(()), Lines::flush)
    }

    /// Our own listeners, whose traffic is not captured.
    pub fn listeners(&self) -> Vec<Exclusion> {
        let addresses = self.serving.iter().flat_map(Serving::addresses);
        addresses.map(|a| Exclusion { address: Some(a.ip()), port: a.port() }).collect()
    }

    /// The sensor's lasting number, when it has one.
    pub fn source(&self) -> Option<u64> {
        self.keeper.as_ref().map(|k| k.directory().source())
    }
}
