//! The captures a bench measures with: others' (`../shared/captures/bench`, or where `WIREBEAT_CAPTURES` says), or those
//! named on its command line.
#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::expect_used, reason = "a bench that cannot run says why")]

use std::fs::File;
use std::path::{Path, PathBuf};

/// What a bench measures when no capture was named and none is there.
pub(crate) const NONE: &str = "no ../shared/captures/bench and no capture named: nothing to measure";

/// The captures of the command line, or else all of the shared ones, by name.
pub(crate) fn chosen() -> Vec<PathBuf> {
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|a| is_path(a)).map(PathBuf::from).collect();
    if named.is_empty() { shared() } else { named }
}

/// Neither an option, as cargo's `--bench`, nor a number, as a rate.
fn is_path(argument: &str) -> bool {
    !argument.starts_with('-') && argument.parse::<u64>().is_err()
}

/// All of the shared ones, by name.
pub(crate) fn shared() -> Vec<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/bench");
    let dir = std::env::var_os("WIREBEAT_CAPTURES").map_or(usual, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut list: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    list.sort();
    list
}

/// The capture without compression, so that decompressing does not count: itself, or a copy in `dir`.
pub(crate) fn plain(capture: &Path, dir: &Path) -> PathBuf {
    if capture.extension().is_none_or(|e| e != "zst") {
        return capture.to_owned();
    }
    let target = dir.join(capture.file_stem().unwrap_or_default());
    let file = File::open(capture).expect("the capture");
    let mut out = File::create(&target).expect("a plain copy");
    zstd::stream::copy_decode(file, &mut out).expect("decompressing");
    target
}

/// The capture's name without its endings.
pub(crate) fn name(capture: &Path) -> String {
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}
