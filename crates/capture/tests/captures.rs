//! Every capture of the shared collection: as many packets as its manifest says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use wirebeat_capture::file::Reader;

/// The manifest counts custom blocks as packets, as tshark shows them; `capinfos -c` gives these numbers.
const WITH_CUSTOM_BLOCKS: [(&str, u64); 4] =
    [("test017.pcapng", 0), ("test018.pcapng", 4), ("test102.pcapng", 5), ("test202.pcapng", 8)];

fn collection(name: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures").join(name);
    if dir.join("MANIFEST.tsv").exists() {
        return Some(dir);
    }
    println!("skipped: no captures in {}", dir.display());
    None
}

#[test]
fn as_many_packets_as_the_manifest_says() {
    let mut files = 0;
    let mut wrong = Vec::new();
    for name in ["packetbeat", "public"] {
        let Some(dir) = collection(name) else { continue };
        let manifest = std::fs::read_to_string(dir.join("MANIFEST.tsv")).unwrap();
        let mut lines = manifest.lines();
        let column = lines.next().unwrap().split('\t').position(|h| h == "packets").unwrap();
        for line in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            let Ok(mut expect) = cells[column].parse::<u64>() else { continue };
            if let Some((_, packets)) = WITH_CUSTOM_BLOCKS.iter().find(|(name, _)| cells[0].ends_with(name)) {
                expect = *packets;
            }
            let path = dir.join(cells[0]);
            if !path.exists() {
                continue;
            }
            files += 1;
            let mut count = 0;
            let error = Reader::open(&path).and_then(|mut reader| {
                while reader.next()?.is_some() {
                    count += 1;
                }
                Ok(())
            });
            if count != expect || error.is_err() {
                wrong.push(format!("{}: {count} of {expect} {error:?}", cells[0]));
            }
        }
    }
    println!("{files} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Damage anywhere in a real file: no panic, no hang, and no more packets than bytes allow.
#[test]
fn damaged_captures_are_survived() {
    let Some(dir) = collection("public") else { return };
    let manifest = std::fs::read_to_string(dir.join("MANIFEST.tsv")).unwrap();
    let names = manifest.lines().skip(1).filter_map(|l| l.split('\t').next());
    let small = names.map(|n| dir.join(n)).filter(|p| p.metadata().is_ok_and(|m| m.len() < 3_000));
    let mut noise = 7u64;
    let mut runs = 0;
    for path in small {
        let whole = std::fs::read(&path).unwrap();
        for _ in 0..200 {
            let mut file = whole.clone();
            for _ in 0..3 {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (noise >> 33) as usize % file.len();
                file[at] = (noise >> 25) as u8;
            }
            if noise & 1 == 0 {
                file.truncate((noise >> 40) as usize % file.len());
            }
            let limit = file.len() / 12;
            let Ok(mut reader) = Reader::new(Cursor::new(file)) else { continue };
            let mut count = 0;
            while let Ok(Some(_)) = reader.next() {
                count += 1;
            }
            assert!(count <= limit);
            runs += 1;
        }
    }
    println!("{runs} damaged files");
}
