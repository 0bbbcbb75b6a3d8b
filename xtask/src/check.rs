//! What has to hold before a change is taken.

use anyhow::Result;

use crate::{elastic, long, setup, shell, ui};

/// Set-up, formatting, build, front end, lints, licences, long runs in short, tests. The tests come last and their result lines
/// close the output.
pub(crate) fn test(args: &[String]) -> Result<()> {
    setup::setup(setup::PACKAGES)?;
    format()?; // a second, so first
    shell::run(shell::cargo().args(["build", "--release", "--locked"]))?;
    ui::beside_others()?;
    lints()?;
    deny()?;
    long::short()?;
    elastic::elastic()?;
    tests(args)
}

/// Formatting and lints.
pub(crate) fn style() -> Result<()> {
    format()?;
    lints()
}

fn format() -> Result<()> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<()> {
    shell::run(shell::cargo().args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Licences and advisories, where cargo-deny is installed; it is no part of Rust and takes minutes to build.
pub(crate) fn deny() -> Result<()> {
    if shell::which("cargo-deny").is_none() {
        eprintln!(
            "licences: cargo-deny is not installed, deny.toml stays unchecked (cargo install cargo-deny)"
        );
        return Ok(());
    }
    shell::run(shell::cargo().args(["deny", "--all-features", "check", "licenses", "bans", "sources"]))
}

/// The tests, in the dev profile: it keeps overflow checks and debug assertions on, which is what parsers of
/// hostile input want, and it spares each test program the release profile's link-time optimisation of the whole.
///
/// As root with everything installed, a test that would skip itself fails instead (`WIREBEAT_LAB=require`), so that
/// a green run means that every scenario was played.
fn tests(args: &[String]) -> Result<()> {
    let mut lab = "skip";
    if shell::is_root() && setup::missing(setup::PACKAGES).is_empty() {
        lab = "require";
    }
    shell::run(shell::cargo().env("WIREBEAT_LAB", lab).args(["test", "--locked", "--workspace", "--doc"]))?;
    shell::run(
        shell::cargo()
            .env("WIREBEAT_LAB", lab)
            .args(["test", "--locked", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
            .args(args),
    )
}
