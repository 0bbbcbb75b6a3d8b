//! Counts the packets of capture files and says what reading one costs. `-v` prints each packet.

use std::io::Write;
use std::time::Instant;

use wirebeat_capture::file::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verbose = std::env::args().any(|a| a == "-v");
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for path in std::env::args().skip(1).filter(|a| a != "-v") {
        let start = Instant::now();
        let (mut packets, mut bytes, mut touched) = (0u64, 0u64, 0u64);
        let mut reader = Reader::open(&path)?;
        let error = loop {
            match reader.next() {
                Ok(Some(f)) => {
                    packets += 1;
                    bytes += f.data.len() as u64;
                    touched += u64::from(*f.data.get(23).unwrap_or(&0));
                    if verbose {
                        let (s, n) = (f.time.0.div_euclid(1_000_000_000), f.time.0.rem_euclid(1_000_000_000));
                        writeln!(out, "{s}.{n:09}\t{}\t{}", f.wire_len, f.data.len())?;
                    }
                }
                Ok(None) => break None,
                Err(e) => break Some(e),
            }
        };
        let each = start.elapsed().as_nanos() as f64 / packets.max(1) as f64;
        if !verbose {
            writeln!(out, "{path}: {packets} packets, {bytes} bytes, {each:.1} ns a packet ({touched})")?;
        }
        if let Some(error) = error {
            eprintln!("{path}: {error}");
        }
    }
    Ok(())
}
