//! Runs that take long: soaks, chunking at every cut, benches. Each has a short form that every test run includes
//! and a full form for the machine's idle hours. To register one, add an entry to [`RUNS`].

use anyhow::{Result, bail};

use crate::shell;

/// One long run: two argument lists for cargo.
pub(crate) struct Long {
    /// How `cargo xtask long NAME` calls it.
    pub name: &'static str,
    /// What it proves.
    pub what: &'static str,
    /// Arguments of cargo in the form that every test run includes; empty: only the full form exists.
    pub short: &'static [&'static str],
    /// Arguments of cargo in the full form.
    pub full: &'static [&'static str],
    /// Environment of the short form, of the full form.
    pub env: [&'static [(&'static str, &'static str)]; 2],
}

/// All of them.
pub(crate) const RUNS: &[Long] = &[
    Long {
        name: "fuzz",
        what: "hostile input for every parser: no panic, no hang, no memory kept",
        // Every test run replays what was ever found: tests/corpus.rs.
        short: &[],
        full: &["xtask", "fuzz", "--seconds", "600"],
        env: [&[], &[]],
    },
    Long {
        name: "chunking",
        what: "every stream cut at every byte, and byte by byte",
        // A sample is part of the ordinary tests.
        short: &[],
        full: &["test", "--release", "--test", "chunking", "--test", "mutations"],
        env: [&[], &[("WIREBEAT_FULL", "1")]],
    },
    Long {
        name: "overload",
        what: "a minute of more packets than can be taken: memory stays bounded, every loss is counted",
        short: &[],
        full: &["test", "--release", "--test", "loss", "--", "--nocapture"],
        env: [&[], &[("WIREBEAT_OVERLOAD_SECONDS", "60")]],
    },
    Long {
        name: "elastic",
        what: "every request put to the real Elasticsearch and the real OpenSearch, and real clients",
        // The ordinary tests judge by the recorded answers, and ask Elasticsearch a third.
        short: &[],
        full: &["test", "--test", "elastic", "--", "--nocapture"],
        env: [&[], &[("WIREBEAT_FULL", "1")]],
    },
    Long {
        name: "browser",
        what: "a live list of 1,000 events a second for ten minutes, the pages open for a minute beside a capture",
        // Twenty and five seconds of them are part of the ordinary tests.
        short: &[],
        full: &["test", "--release", "--test", "browser", "--", "--nocapture"],
        env: [&[], &[("WIREBEAT_FULL", "1")]],
    },
    Long {
        name: "ten-million",
        what: "ten million events of a day behind Discover in a real browser, beside a capture: how long one waits",
        // Twenty thousand, without bounds, are part of the ordinary tests.
        short: &[],
        full: &["test", "--release", "--test", "browser", "--", "--nocapture", "a_day_of_events"],
        env: [&[], &[("WIREBEAT_EVENTS", "10000000")]],
    },
    Long {
        name: "speed",
        what: "packets per CPU-second from a capture to events in a file",
        short: &[],
        full: &["bench", "--bench", "read"],
        env: [&[], &[]],
    },
];

/// The short forms, one after the other.
pub(crate) fn short() -> Result<()> {
    RUNS.iter()
        .filter(|long| !long.short.is_empty())
        .try_for_each(|long| shell::run(shell::cargo().args(long.short).envs(long.env[0].iter().copied())))
}

/// The full form of one, or of all.
pub(crate) fn full(name: Option<&str>) -> Result<()> {
    let chosen: Vec<_> = RUNS.iter().filter(|long| name.is_none_or(|name| name == long.name)).collect();
    if let (Some(name), []) = (name, chosen.as_slice()) {
        bail!("no long run is called {name}; `cargo xtask long --list` names them");
    }
    chosen
        .iter()
        .try_for_each(|long| shell::run(shell::cargo().args(long.full).envs(long.env[1].iter().copied())))
}

/// One line each.
pub(crate) fn list() {
    for long in RUNS {
        println!("{:16} {}", long.name, long.what);
    }
}
