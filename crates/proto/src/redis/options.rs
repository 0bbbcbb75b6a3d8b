//! The options of Redis.

use wirebeat_model::config::Section;

use crate::Options;

/// Options of Redis.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    pub(super) queue_bytes: usize,
    pub(super) queue_messages: usize,
    pub(super) value_size: usize,
}

impl Options for RedisOptions {
    fn read(section: &mut Section<'_>) -> Self {
        // Packetbeat's 0: no limit but the shard's memory.
        let unlimited = |n: usize| if n == 0 { usize::MAX } else { n };
        let bytes = section.bytes(
            "queue_max_bytes",
            1 << 20,
            "The most that commands of one connection may take up while they wait for their answers; 0: no limit.",
        );
        let messages = section.int(
            "queue_max_messages",
            20_000,
            0..=i64::from(i32::MAX),
            "How many commands of one connection may wait for their answers; 0: no limit.",
        );
        let value = section.bytes(
            "max_value_size",
            4096,
            "The most of a command or an answer that goes into an event; what is longer is cut (at most 1MB).",
        );
        Self {
            queue_bytes: unlimited(bytes),
            queue_messages: unlimited(usize::try_from(messages).unwrap_or(0)),
            value_size: value.clamp(16, 1 << 20),
        }
    }
}
