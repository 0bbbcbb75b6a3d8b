//! Captures live for some seconds and says what it saw and what it cost: `watch SECONDS SHARDS [DEVICE]... [-f FILTER]`.

use std::time::{Duration, Instant};

use wirebeat_capture::device::Selection;
use wirebeat_capture::filter::Filter;
use wirebeat_capture::live::{Live, Options, Wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let filter = args.iter().position(|a| a == "-f").map(|at| args.drain(at..).skip(1).collect::<String>());
    let [seconds, shards, devices @ ..] = args.as_slice() else {
        return Err("usage: watch SECONDS SHARDS [DEVICE]... [-f FILTER]".into());
    };
    let options = Options {
        selection: Selection::parse(devices)?,
        shards: shards.parse()?,
        filter: filter.map(|f| Filter::parse(&f)).transpose()?,
        ..Options::default()
    };
    let (live, rings) = Live::open(options)?;
    for choice in live.choices().iter() {
        let mark = if choice.captured { '+' } else { '-' };
        println!("{mark} {:<16} {}", choice.device.name, choice.reason);
    }
    let threads: Vec<_> = rings
        .into_iter()
        .map(|mut ring| {
            std::thread::spawn(move || -> std::io::Result<_> {
                let (mut frames, mut blocks, mut touched) = (0u64, 0u64, 0u64);
                let mut walking = Duration::ZERO;
                loop {
                    match ring.wait(Duration::from_millis(100))? {
                        Wait::Block(block) => {
                            let start = Instant::now();
                            for frame in block.frames() {
                                frames += 1;
                                touched += u64::from(*frame.data.get(23).unwrap_or(&0));
                            }
                            blocks += 1;
                            walking += start.elapsed();
                        }
                        Wait::Timeout => {}
                        Wait::Stopped => return Ok((frames, blocks, walking, cpu_time(), touched)),
                    }
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs_f64(seconds.parse()?));
    live.stop();
    for (thread, stats) in threads.into_iter().zip(live.stats()) {
        let (frames, blocks, walking, cpu, _) = thread.join().map_err(|_| "a reader panicked")??;
        let each = |d: Duration| d.as_nanos() as f64 / frames.max(1) as f64;
        println!(
            "{frames} frames in {blocks} blocks, {} dropped; walk {:.1} ns a frame, thread CPU {:.1} ns a frame",
            stats.drops,
            each(walking),
            each(cpu)
        );
    }
    Ok(())
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a `timespec` of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
