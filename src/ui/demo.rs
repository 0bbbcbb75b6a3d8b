//! A capture to look at: recordings of real servers, put into the last quarter of an hour.

use std::io::{BufWriter, Cursor};
use std::sync::{Mutex, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use wirebeat_capture::file::{Reader, Writer};
use wirebeat_journal::Journal;
use wirebeat_model::{Frame, LinkType, Time};
use wirebeat_web::Failure;

use super::Range;
use crate::config;
use crate::destination::Destination;
use crate::keep::{Appender, Keeper};
use crate::read;
use crate::summary::Summary;

macro_rules! recordings {
    ($($name:literal)+) => { &[$(include_bytes!(concat!("../../tests/captures/", $name, ".pcap"))),+] };
}

/// What is shown: Ethernet frames, recorded with `cargo xtask record`.
static RECORDINGS: &[&[u8]] = recordings! {
    "http/methods" "dns/types" "redis/resp3" "icmp/ping" "http/post" "dns/edns" "http/keep-alive" "redis/transaction"
    "dns/dnssec" "http/old" "icmp/unreachable" "http/chunked" "dns/errors" "redis/auth" "http/ipv6" "icmp/ping6"
    "http/pipeline" "dns/reverse" "redis/resp2" "http/upgrade" "icmp/unanswered" "dns/tcp" "redis/blocking"
    "http/broken" "dns/ipv6" "redis/inline" "http/connect" "dns/update"
};

/// How far back the first begins, how often each is played, and how long before now the last ends.
const SPAN: Duration = Duration::from_secs(15 * 60);
const ROUNDS: u32 = 4;
const END: Duration = Duration::from_secs(1);
/// How long the store may take to have it all.
const PATIENCE: Duration = Duration::from_secs(20);

/// The demo of a keeper.
pub(super) struct Demo {
    appender: Appender,
    journal: Journal,
    /// Held while one is loaded.
    busy: Mutex<()>,
}

impl Demo {
    pub(super) fn new(keeper: &Keeper) -> Self {
        Self { appender: keeper.appender(), journal: keeper.journal().clone(), busy: Mutex::new(()) }
    }

    /// Reads the recordings as any capture is read, and waits until its events can be searched. Answers how many, and
    /// from when to when.
    pub(super) fn load(&self, now: Time) -> Result<(u64, Range), Failure> {
        let _busy = match self.busy.try_lock() {
            Ok(busy) => busy,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(
                    409,
                    "version_conflict_engine_exception",
                    "the demo is being loaded",
                ));
            }
        };
        let failed = |e: &dyn std::fmt::Display| Failure::new(500, "i_o_exception", format!("the demo: {e}"));
        let dir = tempfile::tempdir().map_err(|e| failed(&e))?;
        let path = dir.path().join("demo.pcap");
        let range = std::fs::File::create(&path)
            .map_err(anyhow::Error::from)
            .and_then(|file| write(BufWriter::new(file), now))
            .map_err(|e| failed(&e))?;
        let config = config::load(None, &[], None).map_err(|e| failed(&e))?;
        let destination = Destination { appender: Some(self.appender.clone()), ..Destination::default() };
        let mut summary = Summary::default();
        read::read(&config, &[path], 1, destination, &mut summary).map_err(|e| failed(&e))?;
        self.settle();
        Ok((summary.counters.events, range))
    }

    /// Waits until readers of the journal were given what is in it now.
    fn settle(&self) {
        let end = self.journal.stats().next_seq;
        let begun = Instant::now();
        while self.journal.stats().readers.iter().any(|r| r.open && r.position < end)
            && begun.elapsed() < PATIENCE
        {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Frames of a recording with the time since its first.
fn frames(recording: &'static [u8]) -> anyhow::Result<Vec<(u64, u32, Vec<u8>)>> {
    let mut reader = Reader::new(Cursor::new(recording))?;
    let (mut first, mut frames) = (None, Vec::new());
    while let Some(frame) = reader.next()? {
        let first = *first.get_or_insert(frame.time);
        frames.push((frame.time.since(first), frame.wire_len, frame.data.to_vec()));
    }
    Ok(frames)
}

/// Writes all of them as one capture in the order of time, evenly over the span before `now`.
fn write(out: impl std::io::Write, now: Time) -> anyhow::Result<Range> {
    let recordings = RECORDINGS.iter().map(|r| frames(r)).collect::<anyhow::Result<Vec<_>>>()?;
    let longest = recordings.iter().filter_map(|r| Some(r.last()?.0)).max().unwrap_or(0);
    let begin = now - SPAN;
    let room = SPAN.saturating_sub(END).saturating_sub(Duration::from_nanos(longest));
    let step = room / (ROUNDS * recordings.len() as u32);
    let mut played: Vec<(Time, u32, &[u8])> = Vec::new();
    for (n, recording) in (0..ROUNDS).flat_map(|_| &recordings).enumerate() {
        let at = begin + step * n as u32;
        played
            .extend(recording.iter().map(|(t, len, data)| (at + Duration::from_nanos(*t), *len, &data[..])));
    }
    played.sort_by_key(|(time, ..)| *time);
    let mut writer = Writer::new(out, 1, 262_144)?;
    for (time, wire_len, data) in &played {
        let frame =
            Frame { time: *time, link: LinkType::Ethernet, device: 0, wire_len: *wire_len, vlan: None, data };
        writer.write(&frame)?;
    }
    writer.finish()?;
    let from = played.first().map_or(begin, |p| p.0);
    Ok(Range { from, to: played.last().map_or(now, |p| p.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine;
    use crate::keep::Purpose;

    #[test]
    fn one_at_a_time_and_all_of_it_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let config: Config = config::load(None, &[], None).unwrap();
        let keeper = Keeper::open(dir.path(), &config.keeping, Purpose::Live, engine::schema()).unwrap();
        let demo = Demo::new(&keeper);
        let busy = demo.busy.lock().unwrap();
        assert_eq!(demo.load(Time::now()).unwrap_err().status, 409);
        drop(busy);
        let (events, range) = demo.load(Time::now()).unwrap();
        let view = keeper.store().view();
        assert_eq!(view.indices.iter().map(|i| i.documents).sum::<u64>(), events);
        let found = Range::of(&view).unwrap();
        assert!(range.from <= found.from && found.to <= range.to, "{range:?} {found:?}");
        keeper.close();
        // After the end nothing is kept, and nothing fails.
        assert!(demo.load(Time::now()).is_ok());
    }

    #[test]
    fn all_of_it_lies_in_the_span_before_now() {
        let now = Time::now();
        let mut out = Vec::new();
        let range = write(&mut out, now).unwrap();
        assert_eq!(range.from, now - SPAN);
        assert!(range.to < now && now.since(range.to) < 60_000_000_000, "{range:?}");
        let mut reader = Reader::new(Cursor::new(out)).unwrap();
        let (mut before, mut count) = (range.from, 0);
        while let Some(frame) = reader.next().unwrap() {
            assert!(frame.time >= before && frame.time <= range.to);
            before = frame.time;
            count += 1;
        }
        let each: usize = RECORDINGS.iter().map(|r| frames(r).unwrap().len()).sum();
        assert_eq!(count, each * ROUNDS as usize);
    }
}
