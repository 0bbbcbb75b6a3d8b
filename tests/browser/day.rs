//! A day of events behind Discover while the wire is watched: how long one waits for the bars, the first 100 rows and the
//! counts of 20 fields.
//!
//! The short form, 20,000 events of our own recordings, only sees that all of it works. `cargo xtask long ten-million`
//! fills the store with as many events as `WIREBEAT_EVENTS` says, of the captures of the bench, and holds them to bounds.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wirebeat_model::Time;

use crate::lab::netns::Namespace;
use crate::lab::process::Process;
use crate::lab::{self, Dir};
use crate::{LIMIT, captures, events, play, ready, wirebeat};

/// Events of the short form.
const FEW: u64 = 20_000;
/// How far back the first one is: all of them stay within the last 24 hours until the last repetition.
const SPAN: Duration = Duration::from_secs(24 * 3600 - 30 * 60);
/// Packets that come in a second meanwhile.
const RATE: u64 = 3_000;
/// Recordings that have something for each of the scene's filters.
const RECORDINGS: &[&str] = &["dns/types", "http/methods", "http/put", "redis/large"];

/// What the store is filled with: events, from captures.
fn contents() -> Option<(u64, Vec<PathBuf>)> {
    let Some(wanted) = std::env::var("WIREBEAT_EVENTS").ok().and_then(|n| n.parse().ok()) else {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
        return Some((FEW, RECORDINGS.iter().map(|name| root.join(format!("{name}.pcap"))).collect()));
    };
    let captures = captures::shared();
    (!captures.is_empty()).then_some((wanted, captures))
}

#[test]
fn a_day_of_events() {
    const NAME: &str = "a_day_of_events";
    if !ready(NAME, &["ip", "tcpreplay"]) {
        return;
    }
    let Some((wanted, captures)) = contents() else { return lab::skip(NAME, captures::NONE) };
    let measured = wanted > FEW;
    let dir = Dir::new("browser-day");
    let began = Instant::now();
    let all = events::joined(&events::flats(&captures, dir.path()), dir.path());
    let (once, _) = events::count(&all);
    let now = Time::now().0;
    let from = now - SPAN.as_nanos() as i64;
    let mut source = events::Source::between(&all, wanted.div_ceil(once) as usize, from, now);
    let count = events::keep(&dir.join("data"), &mut source);
    say(&format!("{count} events kept after {:.0} s", began.elapsed().as_secs_f64()));

    let (here, there) = (Namespace::new("day"), Namespace::new("day-sender"));
    here.link("eth0", &["198.51.100.1/24"], &there, "eth0", &["198.51.100.2/24"]);
    let process = wirebeat(&here, &dir, &["-i", "eth0"]);
    let plain = captures::plain(
        captures.iter().find(|c| captures::name(c) == "mixt").unwrap_or(&captures[1]),
        dir.path(),
    );
    let mut replay = there.command("tcpreplay");
    // It sleeps between packets: its other timers take half a core for it.
    replay.args(["-q", "-i", "eth0", "-K", "--unique-ip", "--loop=0", "--timer=nano"]);
    replay.arg(format!("--pps={RATE}")).arg(plain);
    let mut replay = Process::start("tcpreplay", &mut replay, &dir.join("replay.log"));
    let (pid, began) = (process.pid(), Instant::now());
    say(&format!("load {}", load()));
    let set = [
        ("WB_EVENTS", count.to_string()),
        ("WB_TIMES", if measured { 20 } else { 1 }.to_string()),
        ("WB_PID", pid.to_string()),
        ("WB_JUDGE", if measured { "1" } else { "0" }.to_owned()),
    ];
    play(&here, "day", Duration::from_secs(1800), &set);
    say(&format!("load {}", load()));
    assert!(replay.runs(), "tcpreplay ended: {}", replay.log());
    drop(replay);
    let took = began.elapsed().as_secs_f64();
    let log = dir.join("log");
    assert!(process.stop(LIMIT).success());
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let packets =
        log.lines().find_map(|l| l.trim().strip_prefix("packets: ")?.split(' ').next()?.parse::<f64>().ok());
    let packets = packets.unwrap_or_else(|| panic!("no packets in its log:\n{log}"));
    say(&format!("{:.0} packets a second were watched meanwhile", packets / took));
    assert!(packets / took > RATE as f64 * 0.8, "{packets} packets in {took:.0} s");
}

/// Past the test runner, which shows a test's own words only when it fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
