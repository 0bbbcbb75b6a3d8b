//! What a shard's parsers did, and which flows none of them took. Counted when flows begin, speak and end, not for each
//! packet.

use std::borrow::Cow;
use std::fmt;

use wirebeat_model::{FlowInfo, Transport};

/// What the parsers of one protocol did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Flows it began to decode.
    pub flows: u64,
    /// Events it made.
    pub transactions: u64,
    /// Messages it could not make sense of.
    pub unparsed: u64,
    /// Flows whose decoding it gave up.
    pub lost: u64,
    /// Flows it did not decode because the memory budget was spent.
    pub refused: u64,
}

impl Parsed {
    /// Adds what another shard counted.
    pub fn add(&mut self, other: &Self) {
        self.flows += other.flows;
        self.transactions += other.transactions;
        self.unparsed += other.unparsed;
        self.lost += other.lost;
        self.refused += other.refused;
    }
}

/// Why a flow was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its protocol is known by its first bytes, and not decoded by this program.
    NoParser,
    /// Its protocol is decoded, but is switched off or configured for other ports.
    NotEnabled,
    /// Its first bytes are those of no protocol that is known.
    Unrecognised,
    /// Live capture could not keep up when it began.
    Behind,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoParser => "wirebeat has no parser for it yet: its flows are counted",
            Self::NotEnabled => "the configuration does not enable it, or not on this port",
            Self::Unrecognised => "its first bytes are those of no protocol that wirebeat knows",
            Self::Behind => "capture could not keep up when the flows began",
        })
    }
}

/// By what flows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    /// Their protocol's name.
    Name(&'static str),
    /// Their transport and the port of one side.
    Port(Transport, Option<u16>),
    /// Those for which there was no more room.
    Others,
}

/// Flows of one kind that were not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    label: Label,
    /// Why not.
    pub why: Why,
    /// How many have ended.
    pub flows: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
}

impl Row {
    /// Their protocol, or their port.
    pub fn protocol(&self) -> Cow<'static, str> {
        match self.label {
            Label::Name(name) => name.into(),
            Label::Others => "others".into(),
            Label::Port(transport, port) => {
                let name =
                    transport.name().map_or_else(|| format!("IP protocol {}", transport.0), str::to_owned);
                match port {
                    Some(port) => format!("{name} port {port}").into(),
                    None => name.into(),
                }
            }
        }
    }
}

/// Kinds of flow told apart at most.
const MAX_ROWS: usize = 64;
/// From here on a port is its client's own, and says nothing.
const EPHEMERAL: u16 = 32_768;

/// Flows that were not decoded, by protocol guess and reason.
#[derive(Debug, Default)]
pub struct Undecoded {
    rows: Vec<Row>,
}

impl Clone for Undecoded {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone() }
    }

    /// In the same memory.
    fn clone_from(&mut self, other: &Self) {
        self.rows.clone_from(&other.rows);
    }
}

impl Undecoded {
    /// A flow has ended that nothing decoded.
    pub fn add(&mut self, flow: &FlowInfo, guess: Option<&'static str>, why: Why, bytes: u64) {
        let label = guess.map_or_else(|| by_port(flow), Label::Name);
        self.put(&Row { label, why, flows: 1, bytes });
    }

    fn put(&mut self, row: &Row) {
        let full = self.rows.len() >= MAX_ROWS;
        let same = |r: &&mut Row| r.why == row.why && r.label == row.label;
        if let Some(known) = self.rows.iter_mut().find(same) {
            known.flows += row.flows;
            known.bytes += row.bytes;
        } else if full && row.label != Label::Others {
            self.put(&Row { label: Label::Others, ..*row });
        } else {
            self.rows.push(*row);
        }
    }

    /// Adds what another shard counted.
    pub fn merge(&mut self, other: &Self) {
        other.rows.iter().for_each(|row| self.put(row));
    }

    /// Each kind, those with the most bytes first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|r| std::cmp::Reverse(r.bytes));
        rows
    }
}

fn by_port(flow: &FlowInfo) -> Label {
    let transport = flow.key.transport();
    let sides = [flow.source, flow.source.flip()].map(|side| flow.key.sender(side).port);
    let port = sides.into_iter().min().filter(|port| transport.has_ports() && *port < EPHEMERAL);
    Label::Port(transport, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_and_nothing_forgotten() {
        let mut undecoded = Undecoded::default();
        for port in 0..200 {
            let label = Label::Port(Transport::TCP, Some(port));
            for why in [Why::Unrecognised, Why::Behind] {
                undecoded.put(&Row { label, why, flows: 1, bytes: 10 });
            }
        }
        let mut twice = undecoded.clone();
        twice.merge(&undecoded);
        for (table, times) in [(undecoded, 1), (twice, 2)] {
            let rows = table.rows();
            // One row of others for each reason.
            assert_eq!(rows.len(), MAX_ROWS + 2);
            assert_eq!(rows.iter().map(|r| r.flows).sum::<u64>(), 400 * times);
            assert_eq!(rows.iter().map(|r| r.bytes).sum::<u64>(), 4_000 * times);
            assert_eq!(rows[0].protocol(), "others");
        }
    }

    #[test]
    fn names() {
        let row = |label| Row { label, why: Why::NoParser, flows: 1, bytes: 1 }.protocol();
        assert_eq!(row(Label::Name("tls")), "tls");
        assert_eq!(row(Label::Port(Transport::TCP, Some(8443))), "tcp port 8443");
        assert_eq!(row(Label::Port(Transport::UDP, None)), "udp");
    }
}
