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
pub(crate) const RUNS: &[Long] = &[Long {
    name: "fuzz",
    what: "hostile input for every parser: no panic, no hang, no memory kept",
    short: &["xtask", "fuzz", "--if-possible", "--seconds", "10"],
    full: &["xtask", "fuzz", "--seconds", "600"],
    env: [&[], &[]],
}];

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
