//! What the pages ask for beside searches: how capture is, saved searches, a capture to look at.

mod demo;
mod notes;
mod saved;
mod status;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Time;
use wirebeat_store::View;
use wirebeat_web::{Failure, Pages};

use crate::config::Keeping;
use crate::health::Health;
use crate::keep::Keeper;
use demo::Demo;
use notes::Place;
use saved::Saved;

/// What does not change while the program runs.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Captures that are read; none: live.
    pub reading: Vec<String>,
    /// The data directory.
    pub directory: PathBuf,
    /// Where the token is.
    pub token_file: PathBuf,
    /// Where Elasticsearch's API answers by itself, if it does.
    pub elastic: Option<SocketAddr>,
    /// Bytes the journal may take.
    pub quota: u64,
    /// How long events are kept.
    pub retention: Duration,
    /// Bytes the store may take.
    pub max_bytes: u64,
}

impl About {
    /// A data directory, kept as configured.
    pub fn new(directory: &Path, keeping: &Keeping) -> Self {
        Self {
            directory: directory.to_owned(),
            token_file: directory.join("token"),
            quota: keeping.journal_quota,
            retention: keeping.max_age,
            max_bytes: keeping.max_bytes,
            ..Self::default()
        }
    }
}

/// From the first event to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: Time,
    /// The last.
    pub to: Time,
}

impl Range {
    /// Of everything that can be searched.
    pub fn of(view: &View) -> Option<Self> {
        let from = view.indices.iter().map(|i| i.time.0).min()?;
        let to = view.indices.iter().map(|i| i.time.1).max()?;
        Some(Self { from: Time(from), to: Time(to) })
    }

    /// To the millisecond, outwards.
    fn to_json(self) -> Value {
        const MILLI: i64 = 1_000_000;
        let to = Time(self.to.0.saturating_add(MILLI - 1));
        json!({"from": status::text(self.from), "to": status::text(to)})
    }
}

/// What the pages ask.
pub struct Ui {
    about: About,
    health: Arc<Health>,
    saved: Saved,
    demo: Demo,
    place: Place,
    range: Arc<OnceLock<Range>>,
}

impl Ui {
    /// Over what a keeper keeps. `range` is filled once a capture was read.
    pub fn new(about: About, keeper: &Keeper, health: Arc<Health>, range: Arc<OnceLock<Range>>) -> Self {
        let saved = Saved::new(&about.directory);
        let demo = Demo::new(keeper);
        Self { about, health, saved, demo, place: Place::here(), range }
    }
}

impl Pages for Ui {
    fn status(&self) -> Value {
        status::status(&self.about, &self.health, self.range.get().copied(), &self.place)
    }

    fn saved(&self) -> Result<Value, Failure> {
        self.saved.list()
    }

    fn save(&self, id: &str, item: Value) -> Result<Value, Failure> {
        self.saved.put(id, &item, &status::text(Time::now()))
    }

    fn forget(&self, id: &str) -> Result<(), Failure> {
        self.saved.delete(id)
    }

    fn demo(&self) -> Result<Value, Failure> {
        let (events, range) = self.demo.load(Time::now())?;
        Ok(json!({"events": events, "range": range.to_json()}))
    }
}
