//! The rooms of the binary: command line, configuration, and what runs a capture.

pub mod cli;
pub mod config;
pub mod fields_cmd;
