//! Counts the packets of capture files and says what reading one costs. `-v` prints each packet.

use std::io::Write;
use std::time::Duration;

use wirebeat_capture::file::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verbose = std::env::args().any(|a| a == "-v");
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for path in std::env::args().skip(1).filter(|a| a != "-v") {
        let start = cpu_time();
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
        let each = (cpu_time() - start).as_nanos() as f64 / packets.max(1) as f64;
        if !verbose {
            writeln!(
                out,
                "{path}: {packets} packets, {bytes} bytes, {each:.1} ns of CPU a packet ({touched})"
            )?;
        }
        if let Some(error) = error {
            eprintln!("{path}: {error}");
        }
    }
    Ok(())
}

/// CPU time of this thread, the kernel's copying included.
fn cpu_time() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a `timespec` of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
