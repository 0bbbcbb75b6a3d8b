//! Bytes to packets to ordered streams; no I/O
