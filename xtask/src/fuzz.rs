//! Fuzzing: the targets of `fuzz/`, each for a while. New inputs go to `fuzz/target/corpus`; `--keep` merges those that
//! reach something new into the corpus of the repository, which `tests/corpus.rs` replays with any compiler.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// What an input is: longer ones teach little and take long.
const MAX_LEN: u64 = 32 * 1024;
/// What an input may take.
const SECONDS: u64 = 10;
const MEGABYTES: u64 = 2048;
/// The largest input that is kept.
const KEEP: u64 = 1500;

/// `[--seconds N] [--if-possible] [--keep] [--seed] [TARGET]...`
pub(crate) fn fuzz(args: &[String]) -> Result<()> {
    let (mut seconds, mut optional, mut keep) = (60, false, false);
    let mut chosen = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--seconds" => {
                let n = rest.next().context("--seconds takes a number")?;
                seconds = n.parse().with_context(|| format!("--seconds {n}"))?;
            }
            "--if-possible" => optional = true,
            "--keep" => keep = true,
            "--seed" => return seed(),
            flag if flag.starts_with('-') => bail!("unknown option {flag}"),
            target => chosen.push(target.to_owned()),
        }
    }
    let all = targets()?;
    if let Some(unknown) = chosen.iter().find(|t| !all.contains(t)) {
        bail!("no target is called {unknown}; there are {}", all.join(", "));
    }
    if let Err(error) = tools() {
        if optional {
            eprintln!("fuzzing: skipped: {error:#}");
            return Ok(());
        }
        return Err(error);
    }
    let chosen = if chosen.is_empty() { all } else { chosen };
    chosen.iter().try_for_each(|target| if keep { merge(target) } else { run(target, seconds) })
}

/// Kept inputs made anew from captures and configurations, beside those that fuzzing found.
fn seed() -> Result<()> {
    shell::run(shell::cargo().args(["test", "--locked", "--test", "corpus", "--", "--ignored", "seeds"]))
}

fn folder() -> PathBuf {
    shell::root().join("fuzz")
}

fn targets() -> Result<Vec<String>> {
    let folder = folder().join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.path().file_stem().and_then(|s| s.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// A nightly compiler and cargo-fuzz, installed where they are missing.
fn tools() -> Result<()> {
    let rustup =
        |args: &[&str]| shell::status(shell::command("rustup").args(args)).is_ok_and(|s| s.success());
    if shell::which("rustup").is_none() {
        bail!("rustup is not installed, and with it no nightly compiler");
    }
    if !rustup(&["run", "nightly", "rustc", "--version"])
        && !rustup(&["toolchain", "install", "nightly", "--profile", "minimal"])
    {
        bail!("there is no nightly compiler, and it cannot be installed");
    }
    if shell::which("cargo-fuzz").is_none() {
        shell::run(shell::cargo().args(["install", "--locked", "--quiet", "cargo-fuzz"]))
            .context("there is no cargo-fuzz, and it cannot be installed")?;
    }
    Ok(())
}

/// Optimised, with overflow checks and debug assertions; the parsers have no unsafe code, so no sanitizer.
fn cargo_fuzz(target: &str) -> std::process::Command {
    let mut command = shell::command("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", "run", "--release", "--debug-assertions"]);
    command.args(["--sanitizer", "none", target]);
    command
}

/// Found inputs, and those of the repository.
fn corpora(target: &str) -> Result<[PathBuf; 2]> {
    let found = folder().join("target/corpus").join(target);
    fs::create_dir_all(&found)?;
    Ok([found, folder().join("corpus").join(target)])
}

fn run(target: &str, seconds: u64) -> Result<()> {
    let mut command = cargo_fuzz(target);
    command.args(corpora(target)?).arg("--");
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={SECONDS}"),
        format!("-rss_limit_mb={MEGABYTES}"),
        format!("-max_len={MAX_LEN}"),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    let words = folder().join("dictionaries").join(format!("{target}.dict"));
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    shell::run(&mut command)
}

/// The smallest set that reaches as much: into the repository.
fn merge(target: &str) -> Result<()> {
    let [found, kept] = corpora(target)?;
    let fresh = folder().join("target/merged").join(target);
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    let mut command = cargo_fuzz(target);
    command.args([fresh.as_path(), kept.as_path(), found.as_path()]);
    // By places reached, not by how often: a few hundred inputs instead of thousands.
    command.args(["--", "-merge=1", "-use_counters=0", "-verbosity=0", &format!("-max_len={KEEP}")]);
    shell::run(&mut command)?;
    let files = |folder: &Path| -> Result<Vec<PathBuf>> {
        Ok(fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?)
    };
    fs::create_dir_all(&kept)?;
    for old in files(&kept)? {
        fs::remove_file(old)?;
    }
    for new in files(&fresh)? {
        if let Some(name) = new.file_name() {
            fs::copy(&new, kept.join(name))?;
        }
    }
    Ok(())
}
