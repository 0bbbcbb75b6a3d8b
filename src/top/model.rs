//! What the view shows, taken out of the events: it sees nothing that an event does not hold.

use std::collections::HashMap;

use wirebeat_model::{Event, Field, Scalar, Schema, Time, Value, ecs};

use super::format::harmless;

/// The host as of the last period.
#[derive(Debug)]
pub(super) struct Model {
    fields: Fields,
    pub(super) at: Time,
    pub(super) host: String,
    pub(super) cores: u64,
    pub(super) load: [f64; 3],
    pub(super) uptime: u64,
    /// Shares of all cores by mode, in the order of [`wirebeat_system::MODES`]; empty in the first period.
    pub(super) modes: Vec<f64>,
    pub(super) busy: Option<f64>,
    pub(super) memory: Memory,
    pub(super) interfaces: Vec<Interface>,
    pub(super) disks: Vec<Disk>,
    pub(super) filesystems: Vec<Filesystem>,
    /// Processes in all, and by state.
    pub(super) tasks: u64,
    pub(super) states: Vec<(&'static str, u64)>,
    pub(super) sockets: Vec<(&'static str, u64)>,
    pub(super) processes: Vec<Process>,
    pub(super) containers: u64,
    before: HashMap<String, (Time, u64, u64)>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    pub(super) total: f64,
    pub(super) used: f64,
    pub(super) cached: f64,
    pub(super) available: f64,
    pub(super) swap_total: f64,
    pub(super) swap_used: f64,
}

/// An interface; bytes a second once they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) rates: Option<(f64, f64)>,
    pub(super) errors: u64,
    pub(super) dropped: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) name: String,
    pub(super) read: f64,
    pub(super) write: f64,
    pub(super) busy: f64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Filesystem {
    pub(super) point: String,
    pub(super) used: f64,
    pub(super) available: f64,
}

/// A row of the table. Texts are harmless.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    pub(super) pid: u64,
    pub(super) user: String,
    pub(super) state: String,
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) rss: u64,
    pub(super) threads: u64,
    pub(super) files: Option<u64>,
    pub(super) container: String,
    pub(super) name: String,
    pub(super) command: String,
}

/// Fields by name, looked up once.
#[derive(Debug)]
struct Fields(HashMap<u16, &'static str>);

impl Fields {
    fn new(schema: &'static Schema) -> Self {
        Self(schema.fields().map(|f: &'static Field| (f.id(), f.name())).collect())
    }

    /// Name and value of each field of an event.
    fn read<'e>(&self, event: &'e Event) -> HashMap<&'static str, Scalar<'e>> {
        let scalars = event.fields.iter().filter_map(|(id, value)| match value {
            Value::Scalar(scalar) => Some((*self.0.get(&id)?, scalar)),
            _ => None,
        });
        scalars.collect()
    }
}

struct Values<'e>(HashMap<&'static str, Scalar<'e>>);

impl Values<'_> {
    fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Scalar::Uint(n) => Some(*n as f64),
            Scalar::Int(n) => Some(*n as f64),
            Scalar::Double(n) => Some(*n),
            _ => None,
        }
    }

    fn count(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Scalar::Uint(n) => Some(*n),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Scalar::Str(text)) => harmless(text),
            _ => String::new(),
        }
    }
}

impl Model {
    pub(super) fn new(schema: &'static Schema) -> Self {
        Self {
            fields: Fields::new(schema),
            at: Time(0),
            host: String::new(),
            cores: 1,
            load: [0.0; 3],
            uptime: 0,
            modes: Vec::new(),
            busy: None,
            memory: Memory::default(),
            interfaces: Vec::new(),
            disks: Vec::new(),
            filesystems: Vec::new(),
            tasks: 0,
            states: Vec::new(),
            sockets: Vec::new(),
            processes: Vec::new(),
            containers: 0,
            before: HashMap::new(),
        }
    }

    /// Takes the events of one period.
    pub(super) fn take(&mut self, events: &[Event]) {
        self.interfaces.clear();
        self.disks.clear();
        self.filesystems.clear();
        self.processes.clear();
        self.containers = 0;
        let mut traffic = HashMap::new();
        for event in events {
            self.at = event.stamp;
            let v = Values(self.fields.read(event));
            match event.fields.get_str(&ecs::EVENT_DATASET).unwrap_or_default() {
                "system.cpu" => self.cpu(&v),
                "system.load" => {
                    self.load =
                        ["1", "5", "15"].map(|n| v.number(&format!("system.load.{n}")).unwrap_or(0.0));
                    self.host = v.text("host.name");
                }
                "system.uptime" => self.uptime = v.count("system.uptime.duration.ms").unwrap_or(0),
                "system.memory" => self.memory(&v),
                "system.network" => self.network(&v, event.stamp, &mut traffic),
                "system.diskio" if v.0.contains_key("system.diskio.name") => self.disk(&v),
                "system.filesystem" => self.filesystems.push(Filesystem {
                    point: v.text("system.filesystem.mount_point"),
                    used: v.number("system.filesystem.used.pct").unwrap_or(0.0),
                    available: v.number("system.filesystem.available").unwrap_or(0.0),
                }),
                "system.process.summary" => self.summary(&v),
                "system.socket_summary" => self.sockets(&v),
                "system.process" => self.process(&v),
                "docker.cpu" => self.containers += 1,
                _ => {}
            }
        }
        self.before = traffic;
        self.interfaces.sort_by(|x, y| {
            let sum = |i: &Interface| i.rates.map_or(0.0, |(r, s)| r + s);
            sum(y).total_cmp(&sum(x))
        });
        self.disks.sort_by(|x, y| (y.read + y.write).total_cmp(&(x.read + x.write)));
        self.filesystems.sort_by(|x, y| y.used.total_cmp(&x.used));
    }

    fn cpu(&mut self, v: &Values<'_>) {
        self.cores = v.count("system.cpu.cores").unwrap_or(1).max(1);
        self.busy = v.number("system.cpu.total.norm.pct");
        let modes = wirebeat_system::MODES.map(|mode| v.number(&format!("system.cpu.{mode}.norm.pct")));
        self.modes = modes.into_iter().flatten().collect();
    }

    fn memory(&mut self, v: &Values<'_>) {
        let n = |name: &str| v.number(&format!("system.memory.{name}")).unwrap_or(0.0);
        self.memory = Memory {
            total: n("total"),
            used: n("actual.used.bytes"),
            cached: n("cached"),
            available: n("actual.free"),
            swap_total: n("swap.total"),
            swap_used: n("swap.used.bytes"),
        };
    }

    fn network(&mut self, v: &Values<'_>, at: Time, traffic: &mut HashMap<String, (Time, u64, u64)>) {
        let n = |name: &str| v.count(&format!("system.network.{name}"));
        let (Some(received), Some(sent)) = (n("in.bytes"), n("out.bytes")) else { return };
        let name = v.text("system.network.name");
        let rates = self.before.get(&name).and_then(|(before, r, s)| {
            let seconds = at.since(*before) as f64 / 1e9;
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
            (seconds > 0.0).then(|| (rate(received, *r), rate(sent, *s)))
        });
        traffic.insert(name.clone(), (at, received, sent));
        let both = |what: &str| {
            let part = |side: &str| n(&format!("{side}.{what}")).unwrap_or(0);
            part("in") + part("out")
        };
        self.interfaces.push(Interface { name, rates, errors: both("errors"), dropped: both("dropped") });
    }

    fn disk(&mut self, v: &Values<'_>) {
        let n = |name: &str| v.number(&format!("system.diskio.iostat.{name}")).unwrap_or(0.0);
        self.disks.push(Disk {
            name: v.text("system.diskio.name"),
            read: n("read.per_sec.bytes"),
            write: n("write.per_sec.bytes"),
            busy: n("busy") / 100.0,
        });
    }

    fn summary(&mut self, v: &Values<'_>) {
        let n = |name: &str| v.count(&format!("system.process.summary.{name}")).unwrap_or(0);
        self.tasks = n("total");
        let states = ["running", "sleeping", "disk_sleep", "idle", "stopped", "zombie"];
        self.states = states.into_iter().map(|s| (s, n(s))).filter(|(_, n)| *n > 0).collect();
    }

    fn sockets(&mut self, v: &Values<'_>) {
        let n = |name: &str| v.count(&format!("system.socket.summary.{name}"));
        let kinds = [
            ("established", "tcp.all.established"),
            ("listening", "tcp.all.listening"),
            ("time-wait", "tcp.all.time_wait"),
            ("udp", "udp.all.count"),
        ];
        self.sockets = kinds.into_iter().filter_map(|(name, field)| Some((name, n(field)?))).collect();
    }

    fn process(&mut self, v: &Values<'_>) {
        let name = v.text("process.name");
        let command = v.text("process.command_line");
        self.processes.push(Process {
            pid: v.count("process.pid").unwrap_or(0),
            user: v.text("user.name"),
            state: v.text("system.process.state"),
            cpu: v.number("system.process.cpu.total.pct"),
            memory: v.number("system.process.memory.rss.pct"),
            rss: v.count("system.process.memory.rss.bytes").unwrap_or(0),
            threads: v.count("system.process.num_threads").unwrap_or(0),
            files: v.count("system.process.fd.open"),
            container: v.text("container.id").chars().take(12).collect(),
            // Threads of the kernel have no command line.
            command: if command.is_empty() { format!("[{name}]") } else { command },
            name,
        });
    }
}
