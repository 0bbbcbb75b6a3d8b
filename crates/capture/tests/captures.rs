//! Every capture of the shared collection: as many packets as its manifest says.

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
