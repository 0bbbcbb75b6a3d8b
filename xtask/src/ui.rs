//! The front end: built from its source with the locked packages, compared with what is committed, tested in a browser
//! against three running stores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::lab::Dir;
use crate::lab::process::Process;
use crate::{lab, shell};

/// Where its source is, and what is made of it.
const SOURCE: &str = "ui";
const BUILT: &str = "crates/web/assets";
/// What it needs.
const PROGRAMS: &[&str] = &["node", "npm", "chromium", "curl"];
/// How long a server may take until it answers.
const LIMIT: Duration = Duration::from_secs(120);

/// What stands in the way of building and testing it.
fn missing() -> Option<String> {
    let missing: Vec<_> =
        PROGRAMS.iter().filter(|program| shell::which(program).is_none()).copied().collect();
    if !missing.is_empty() {
        return Some(format!("not installed: {} (cargo xtask setup)", missing.join(", ")));
    }
    lab::old_node()
}

/// Builds it, compares, builds the program, and runs its tests.
pub(crate) fn ui() -> Result<()> {
    if let Some(why) = missing() {
        bail!(why);
    }
    built()?;
    shell::run(shell::cargo().args(["build", "--release", "--locked"]))?;
    tests()
}

/// The same where the program is built already; skipped, by name, where it cannot be.
pub(crate) fn beside_others() -> Result<()> {
    if let Some(why) = missing() {
        eprintln!("skipped: the front end's build and its tests in a browser: {why}");
        return Ok(());
    }
    built()?;
    tests()
}

/// Builds it with its locked packages; what comes out is what is committed. It is built elsewhere first: files that
/// are written anew, though the same, would have the program built anew too.
fn built() -> Result<()> {
    shell::run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    shell::run(npm().args(["run", "lint"]))?;
    let dir = Dir::new("built");
    let out = dir.join("assets");
    shell::run(npm().args(["run", "build", "--", "--emptyOutDir", "--outDir"]).arg(&out))?;
    let there = shell::root().join(BUILT);
    if files(&out)? == files(&there)? {
        return Ok(());
    }
    std::fs::remove_dir_all(&there)?;
    shell::run(shell::command("cp").arg("-r").arg(&out).arg(&there))?;
    bail!("{BUILT} was not what {SOURCE} builds; it is now: commit it")
}

/// Every file below a directory, by its path there.
fn files(dir: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.insert(path.strip_prefix(dir)?.to_path_buf(), std::fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

fn npm() -> Command {
    let mut npm = shell::command("npm");
    npm.current_dir(shell::root().join(SOURCE));
    npm
}

/// A store behind pages.
struct Page {
    at: String,
    _process: Process,
}

fn tests() -> Result<()> {
    let binary = shell::root().join("target/release/wirebeat");
    let dir = Dir::new("ui");
    let nothing = dir.write("nothing.pcap", no_packets());
    let empty = read(&binary, &dir, "empty", &nothing);
    let demo = read(&binary, &dir, "demo", &nothing);
    let token = std::fs::read_to_string(dir.join("demo").join("token"))?;
    shell::run(
        shell::command("curl")
            .args(["-sSf", "-o", "/dev/null", "-X", "POST", "-H"])
            .args([format!("Authorization: Bearer {}", token.trim()), format!("{}/_ui/demo", demo.at)]),
    )?;
    let full = full(&binary, &dir)?;
    let pages = format!("empty={},demo={},full={}", empty.at, demo.at, full.at);
    shell::run(npm().arg("test").env("WIREBEAT", &binary).env("WIREBEAT_UI", pages))
}

/// A capture without a packet (draft-ietf-opsawg-pcap): magic, version 2.4, Ethernet.
fn no_packets() -> Vec<u8> {
    let mut head = vec![0; 24];
    head[..4].copy_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    head[4..8].copy_from_slice(&[2, 0, 4, 0]);
    head[16..20].copy_from_slice(&65_535_u32.to_le_bytes());
    head[20] = 1;
    head
}

/// A capture in a store of its own.
fn read(binary: &Path, dir: &Dir, name: &str, file: &Path) -> Page {
    let mut command = Command::new(binary);
    command.arg("read").arg(file).args(["--ui=127.0.0.1:0", "--keep"]).arg(dir.join(name));
    page(&mut command, dir, name)
}

/// Every recording of the repository, beside what is measured of this host meanwhile.
fn full(binary: &Path, dir: &Dir) -> Result<Page> {
    let data = dir.join("full");
    let mut import = shell::command(binary);
    shell::run(import.arg("read").args(recordings()?).arg("--data").arg(&data))?;
    let config = dir.write("topbeat.yml", "input:\n  period: 1\n");
    let mut command = Command::new(binary);
    command.args(["run", "--api", "127.0.0.1:0", "--ui", "127.0.0.1:0", "-c"]).arg(config);
    Ok(page(command.arg("--data").arg(data), dir, "full"))
}

fn recordings() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(shell::root().join("tests/captures"))? {
        let folder = folder?.path();
        if folder.is_dir() {
            for file in std::fs::read_dir(folder)? {
                files.push(file?.path());
            }
        }
    }
    files.retain(|file| file.extension().is_some_and(|e| e == "pcap"));
    files.sort();
    ensure!(!files.is_empty(), "there is no recording under tests/captures");
    Ok(files)
}

/// Starts a program and waits until its pages are there.
fn page(command: &mut Command, dir: &Dir, name: &str) -> Page {
    let mut process = Process::start(name, command, &dir.join(&format!("{name}.log")));
    let address = |log: &str| {
        let rest = log.split("open http://").nth(1)?;
        Some(format!("http://{}", rest.split_once('/')?.0))
    };
    process.wait_for("address", LIMIT, |process| address(&process.log()).is_some());
    let at = address(&process.log()).unwrap_or_default();
    let status = format!("{at}/_ui/status");
    lab::wait_until("an answer", LIMIT, || {
        shell::command("curl")
            .args(["-sSf", "-o", "/dev/null", &status])
            .status()
            .is_ok_and(|status| status.success())
    });
    Page { at, _process: process }
}
