//! `wirebeat read FILE… --ui`: captures in a store of their own, looked at in a browser.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::config::Config;
use crate::destination::Destination;
use crate::engine;
use crate::keep::{Keeper, Purpose};
use crate::lines::Lines;
use crate::measure::on_signals;
use crate::read::{self, ReadError};
use crate::serving::{self, Wish};
use crate::summary::Summary;
use crate::ui::Range;

/// How captures are shown.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    /// Where the store stays; `None`: it is removed at the end.
    pub keep: Option<&'a Path>,
    /// Where the pages are; `None`: where they usually are, or on the next free port.
    pub address: Option<SocketAddr>,
    /// Threads that decode.
    pub shards: usize,
}

/// How often a signal is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// Reads captures and shows their events until the program is told to stop. The pages are there while it reads.
///
/// # Errors
/// [`ReadError`]. A capture that is damaged from some place on is shown up to there, and answered at the end.
pub fn show(
    config: &Config,
    files: &[PathBuf],
    how: &Show<'_>,
    lines: Option<Lines>,
) -> Result<(), ReadError> {
    let stop = on_signals()?;
    // Removed when this returns.
    let private: Option<TempDir> = match how.keep {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("wirebeat-").tempdir()?),
    };
    let directory = how.keep.or(private.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
    let keeper = Keeper::open(directory, &config.keeping, Purpose::Import, engine::schema())?;
    let names = files.iter().map(|f| f.display().to_string()).collect();
    let range = Arc::new(OnceLock::new());
    let usual = SocketAddr::from(([127, 0, 0, 1], 5601));
    let ui = Wish::new(how.address, config.keeping.ui.or(Some(usual)));
    let serving = serving::serve(&keeper, &config.keeping, None, ui, names, Arc::clone(&range))?;
    let destination = Destination { lines, appender: Some(keeper.appender()), ..Destination::default() };
    let reading = {
        let (config, files, shards) = (config.clone(), files.to_vec(), how.shards);
        thread::spawn(move || {
            let mut summary = Summary::default();
            let result = read::read(&config, &files, shards, destination, &mut summary);
            (result, summary)
        })
    };
    while !reading.is_finished() && !stop.load(Ordering::Relaxed) {
        thread::sleep(PATIENCE);
    }
    let mut result = Ok(());
    // Told to stop, it is not waited for: what it still reads is kept nowhere.
    if reading.is_finished() {
        keeper.settle();
        let (read, counted) = reading.join().unwrap_or_else(|_| {
            (Err(io::Error::other("reading has ended early").into()), Summary::default())
        });
        eprint!("{counted}");
        let found = Range::of(&keeper.store().view());
        match (found, read) {
            (None, Err(e)) => return Err(e),
            (Some(found), read) => {
                let _ = range.set(found);
                if let Err(e) = &read {
                    eprintln!("warning: {e}");
                }
                result = read;
            }
            (None, Ok(())) => eprintln!("there is nothing in it that makes an event"),
        }
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(PATIENCE);
        }
    }
    drop(serving);
    match how.keep {
        Some(_) if result.is_ok() => drop(keeper.finish_import()?),
        _ => drop(keeper.close()),
    }
    result
}
