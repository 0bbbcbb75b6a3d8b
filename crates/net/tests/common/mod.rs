//! Captures beside the repository, where they are.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};

use wirebeat_capture::file::Reader;
use wirebeat_model::{Budget, Counters, Frame, Time};
use wirebeat_net::{Defrag, Packet, decode};

/// The folder of captures; `None`, and a note, when it is not there.
pub(crate) fn captures() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if !dir.is_dir() {
        println!("skipped: no captures in {}", dir.display());
        return None;
    }
    Some(dir)
}

/// Every capture below `dir`.
pub(crate) fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_some_and(|n| n != "bench") {
            files(&path, out);
        } else if path.extension().is_some_and(|e| ["pcap", "pcapng", "cap"].iter().any(|x| e == *x)) {
            out.push(path);
        }
    }
}

/// Calls `each` with every frame of a capture, up to where it is damaged.
pub(crate) fn frames(path: &Path, mut each: impl FnMut(&Frame<'_>)) {
    let Ok(mut reader) = Reader::open(path) else { return };
    while let Ok(Some(frame)) = reader.next() {
        each(&frame);
    }
}

/// A frame with its own memory.
pub(crate) struct Kept {
    pub(crate) frame: Frame<'static>,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn kept(path: &Path) -> Vec<Kept> {
    let mut out = Vec::new();
    frames(path, |f| out.push(Kept { frame: Frame { data: &[], ..*f }, data: f.data.to_vec() }));
    out
}

impl Kept {
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { data: &self.data, ..self.frame }
    }
}

/// Decodes and reassembles; `each` sees every packet and how many frames it came in.
pub(crate) fn packets(frames: &[Kept], mut each: impl FnMut(&Packet<'_>, u32)) -> Counters {
    let (mut counters, mut budget, mut defrag) = (Counters::default(), Budget::new(1 << 20), Defrag::new(1));
    let mut clock = Time::MIN;
    for k in frames {
        clock = clock.max(k.frame.time);
        match decode(&k.frame()) {
            Ok(p) if p.fragment.is_some() => {
                if let Some(w) = defrag.push(&p, k.frame.time, clock, &mut budget, &mut counters) {
                    each(&w.packet, w.frames);
                }
            }
            Ok(p) => each(&p, 1),
            Err(e) => e.count(&mut counters),
        }
    }
    defrag.finish(&mut budget, &mut counters);
    assert_eq!(budget.used(), 0);
    counters
}
