//! Every kept input of the fuzz targets, and every input that once went wrong, is replayed: no nightly compiler needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the harness is a library of its own too")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../fuzz/src/lib.rs"]
mod harness;

/// What one input may take, in a build without optimisation and on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

fn fuzz(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(path)
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut list: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    list.sort();
    list
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn replay(folder: &str) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for target in sorted(&fuzz(folder)).into_iter().filter(|p| p.is_dir()) {
        for file in sorted(&target) {
            let data = std::fs::read(&file).unwrap();
            let started = Instant::now();
            let run = catch_unwind(AssertUnwindSafe(|| harness::run(name(&target), &data)));
            let took = started.elapsed();
            count += 1;
            match run {
                Ok(true) if took < LIMIT => {}
                Ok(true) => wrong.push(format!("{}: took {took:?}", file.display())),
                Ok(false) => wrong.push(format!("{}: there is no such target", target.display())),
                Err(_) => wrong.push(format!("{}: panicked, see above", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("{folder}: {count} inputs");
}

#[test]
fn corpus() {
    replay("corpus");
}

#[test]
fn regressions() {
    replay("regressions");
}

/// Each target is a binary of the fuzz package, named in its Cargo.toml, and known to the harness.
#[test]
fn targets() {
    let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    let targets = sorted(&fuzz("fuzz_targets"));
    assert!(!targets.is_empty());
    for file in targets {
        let target = file.file_stem().unwrap().to_str().unwrap();
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "{target} is not in fuzz/Cargo.toml"
        );
        assert!(harness::run(target, b""), "the harness does not know {target}");
        assert!(sorted(&fuzz("corpus").join(target)).len() > 1, "{target} has no corpus");
    }
}

/// Sixteen times as much takes about sixteen times as long, not two hundred times.
#[test]
#[ignore = "measures time, so only on a quiet machine: cargo test --release --test corpus -- --ignored growth"]
fn growth() {
    /// What the longer input may take of the shorter one's time, and from when on it is looked at.
    const RATIO: u32 = 16 * 5;
    const MATTERS: Duration = Duration::from_millis(60);
    let mut wrong = Vec::new();
    for target in sorted(&fuzz("corpus")) {
        for file in sorted(&target).into_iter().step_by(12) {
            let data = std::fs::read(&file).unwrap();
            // The head says what the rest is.
            let (head, body) = data.split_at(data.len().min(10));
            let time = |times: usize| {
                let long = [head, &body.repeat(times)].concat();
                let started = Instant::now();
                harness::run(name(&target), &long);
                started.elapsed()
            };
            let times = 1 + 16 * 1024 / body.len().max(64);
            if time(times * 16) < MATTERS {
                continue;
            }
            let [short, long] = [times, times * 16].map(|n| (0..3).map(|_| time(n)).min().unwrap());
            if long > short * RATIO {
                wrong.push(format!(
                    "{}: {times} times in {short:?}, 16 times that in {long:?}",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
#[ignore = "writes fuzz/corpus anew from tests/captures and tests/config: cargo xtask fuzz --seed"]
fn seeds() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    println!("{} seeds", harness::seeds::write(&tests, &fuzz("corpus")).unwrap());
}
