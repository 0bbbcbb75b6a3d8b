//! Events to lines of JSON.

use std::io;

use wirebeat_model::{Event, JsonWriter, Precision};

use crate::engine;
use crate::output::Output;

/// Writes events, one a line.
pub struct Lines {
    json: JsonWriter,
    output: Output,
}

impl Lines {
    /// To `output`, times with the digits of `precision`.
    pub fn new(output: Output, precision: Precision) -> Self {
        Self { json: JsonWriter::new(engine::schema(), precision), output }
    }

    /// Writes an event; it reaches the file when a block is full.
    ///
    /// # Errors
    /// When writing fails.
    #[inline]
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        let out = self.output.buffer();
        self.json.write(&event.fields, out);
        out.push(b'\n');
        self.output.flush_if_full()
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// When writing fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
