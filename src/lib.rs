//! The rooms of the binary: command line, configuration, and what runs a capture.

#![forbid(unsafe_code)]

pub mod api;
pub mod app;
pub mod check;
pub mod cli;
pub mod collector;
pub mod config;
pub mod destination;
pub mod devices_cmd;
pub mod engine;
pub mod fields_cmd;
pub mod flows;
pub mod health;
pub mod ingress;
pub mod keep;
pub mod lines;
pub mod measure;
pub mod output;
pub mod parcel;
pub mod pressure;
pub mod read;
pub mod read_ui;
pub mod run;
pub mod serving;
pub mod shard;
pub mod store_cmd;
pub mod summary;
pub mod tally;
pub mod top;
pub mod ui;
