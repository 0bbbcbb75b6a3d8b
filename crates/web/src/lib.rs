//! The Elasticsearch-compatible API and the pages over HTTP.
//!
//! [`serve`] opens the listeners and answers in a thread of its own; what is asked of the events goes to a [`Backend`].
//! [`serve_ui`] does the same for the pages, with the API below `/es`; what else they ask goes to [`Pages`].
//!
//! - `server`: listeners, connections, bounds and time limits.
//! - `guard`: who may ask. `media`, `params`, `json`, `filter_path`, `names`: how a request is read and an answer written.
//! - `ui`: the pages: their files, their calls, their headers.
//! - `routes`: every call in one list. `es`, `cat`: the calls. `contexts`: scrolls and points in time.
#![forbid(unsafe_code)]

mod api;
mod backend;
mod call;
mod cat;
mod contexts;
mod counters;
mod es;
mod failure;
mod filter_path;
mod guard;
mod identity;
mod json;
mod media;
mod names;
mod params;
mod reply;
mod routes;
mod server;
mod ui;
mod units;

pub use backend::{Backend, FieldInfo, Health, IndexInfo, SearchOptions, Snapshot};
pub use counters::Counters;
pub use failure::Failure;
pub use guard::Login;
pub use identity::{COMPATIBLE, Identity};
pub use server::{Options, ServeError, Server, serve, serve_ui};
pub use ui::Pages;
