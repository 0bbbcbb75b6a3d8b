//! `wirebeat store` and `wirebeat seal`: what is kept.

use std::fmt::Write;
use std::path::PathBuf;

use wirebeat_model::{Precision, Time};
use wirebeat_store::Store;

use crate::cli::StoreArgs;
use crate::config::{self, Keeping};
use crate::engine;
use crate::keep::{KeepError, Keeper, Purpose, default_directory};

/// The data directory: as asked for, as configured, or the platform's.
///
/// # Errors
/// When there is none.
pub fn directory(asked: Option<&PathBuf>, keeping: &Keeping) -> Result<PathBuf, KeepError> {
    asked.or(keeping.data.as_ref()).cloned().map_or_else(default_directory, Ok)
}

fn open(args: &StoreArgs) -> anyhow::Result<Keeper> {
    let config = config::load(args.config.as_deref(), &[], None).map_err(|e| anyhow::anyhow!("{e}"))?;
    let dir = directory(args.data.as_ref(), &config.keeping)?;
    anyhow::ensure!(dir.is_dir(), "{}: nothing is kept there", dir.display());
    let keeper = Keeper::open(&dir, &config.keeping, Purpose::Live, engine::schema())?;
    keeper.settle();
    Ok(keeper)
}

/// The indices of a directory that no wirebeat uses, as a table.
///
/// # Errors
/// When it cannot be opened: a wirebeat that runs there tells the same at `/_cat/indices?v`.
pub fn list(args: &StoreArgs) -> anyhow::Result<String> {
    let keeper = open(args)?;
    let text = table(keeper.store());
    keeper.close();
    Ok(text)
}

/// Writes everything to files.
///
/// # Errors
/// When it cannot be opened or written.
pub fn seal(args: &StoreArgs) -> anyhow::Result<String> {
    let keeper = open(args)?;
    keeper.seal()?;
    let text = table(keeper.store());
    keeper.close();
    Ok(text)
}

fn table(store: &Store) -> String {
    let view = store.view();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<28} {:>12} {:>12} {:>7}  {:<20}  {:<20}",
        "INDEX", "EVENTS", "BYTES", "B/EVENT", "FROM", "TO"
    );
    let (mut events, mut bytes) = (0, 0);
    for index in &view.indices {
        let share = index.bytes as f64 / index.documents.max(1) as f64;
        let _ = writeln!(
            out,
            "{:<28} {:>12} {:>12} {share:>7.1}  {:<20}  {:<20}",
            index.name,
            index.documents,
            index.bytes,
            time(index.time.0),
            time(index.time.1)
        );
        events += index.documents;
        bytes += index.bytes;
    }
    let _ = writeln!(out, "{:<28} {events:>12} {bytes:>12}", format!("{} indices", view.indices.len()));
    let stats = store.stats(Time::now());
    if let Some(days) = stats.days {
        let _ = writeln!(out, "room for about {days:.1} days at today's rate");
    }
    if let Some(failing) = stats.failing {
        let _ = writeln!(out, "cannot write: {failing}");
    }
    out
}

/// To the second.
fn time(nanos: i64) -> String {
    let mut text = Vec::new();
    Time(nanos).write_rfc3339(Precision::Milli, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    text.split('.').next().map_or_else(String::new, |seconds| format!("{seconds}Z"))
}
