//! Packets in memory, read as a capture would be, in this process: for tests that read one thousands of times.

use std::path::Path;
use std::sync::Arc;

use wirebeat::collector::Collector;
use wirebeat::config::{self, Config};
use wirebeat::engine;
use wirebeat::ingress::Ingress;
use wirebeat::shard::{Settings, Shard};
use wirebeat_capture::file::Reader;
use wirebeat_model::{Budget, Counters, Frame, JsonWriter, LinkType, Precision, Time};

/// A packet that may be changed.
#[derive(Clone, Debug)]
pub struct Kept {
    pub time: Time,
    pub link: LinkType,
    pub device: u32,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

impl Kept {
    /// As a capture would hand it on.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            time: self.time,
            link: self.link,
            device: self.device,
            wire_len: self.wire_len,
            vlan: None,
            data: &self.data,
        }
    }
}

/// All packets of a capture that is not damaged.
pub fn load(path: &Path) -> Vec<Kept> {
    let mut reader = Reader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all = Vec::new();
    while let Some(f) = reader.next().unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
        let data = f.data.to_vec();
        all.push(Kept { time: f.time, link: f.link, device: f.device, wire_len: f.wire_len, data });
    }
    all
}

/// Reads packets into events.
pub struct Pipeline {
    settings: Arc<Settings>,
    precision: Precision,
}

impl Pipeline {
    /// Without a configuration; each flow is told once, at its end.
    pub fn new() -> Self {
        engine::schema();
        let config: Config = config::load(None, &["flows.period=-1".into()], None).unwrap();
        let mut settings = engine::settings(&config, 1, Vec::new(), 1, false);
        // Thousands of shards are made: small ones, and without the filter for what several devices see (pcap knows one).
        Arc::get_mut(&mut settings).unwrap().max_flows = 4096;
        Self { settings, precision: Precision::Nano }
    }

    /// The events of these packets, in the order in which they would be written.
    pub fn events<'a>(&self, packets: impl IntoIterator<Item = &'a Kept>) -> Vec<String> {
        let mut ingress = Ingress::new(None, usize::MAX, 1);
        let mut shard = Shard::new(Arc::clone(&self.settings), 0, 1, 1);
        let (mut budget, mut counters) = (Budget::new(1 << 20), Counters::default());
        for p in packets {
            ingress.frame(&p.frame(), &mut budget, &mut counters, |packet, at| shard.packet(packet, at));
        }
        ingress.finish(&mut budget, &mut counters);
        shard.finish(ingress.clock());
        let mut collector = Collector::new(1);
        collector.accept(0, shard.events(), Time::MAX);
        let mut json = JsonWriter::new(engine::schema(), self.precision);
        let mut line = Vec::new();
        let ready = collector.ready();
        ready
            .drain(..)
            .map(|event| {
                line.clear();
                json.write(&event.fields, &mut line);
                String::from_utf8(line.clone()).expect("events are UTF-8")
            })
            .collect()
    }
}
