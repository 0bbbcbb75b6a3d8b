//! Traffic of each interface: `system.network`.

use wirebeat_model::{Field, Kind, Unit, fields};

use crate::emit::{Metricset, Writer};
use crate::name::Name;
use crate::scan::{lines, numbers};

/// One interface of `/proc/net/dev`; counts since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Name,
    /// What it received.
    pub received: Traffic,
    /// What it sent.
    pub sent: Traffic,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets with errors.
    pub errors: u64,
    /// Packets dropped.
    pub dropped: u64,
}

/// Reads `/proc/net/dev`.
pub(crate) fn parse(text: &[u8], out: &mut Vec<Interface>) {
    out.clear();
    for line in lines(text) {
        let Some(colon) = memchr::memrchr(b':', line) else { continue };
        let n: [u64; 12] = numbers(&line[colon + 1..]);
        let traffic =
            |at: usize| Traffic { bytes: n[at], packets: n[at + 1], errors: n[at + 2], dropped: n[at + 3] };
        let name = Name::new(line[..colon].trim_ascii());
        out.push(Interface { name, received: traffic(0), sent: traffic(8) });
    }
}

fields! {
    pub FIELDS:
    NAME = Field::new("system.network.name", Kind::Keyword, "The interface.");
    IN_BYTES = Field::new("system.network.in.bytes", Kind::Long, "Bytes received since the interface was made.").unit(Unit::Bytes);
    IN_PACKETS = Field::new("system.network.in.packets", Kind::Long, "Packets received.").unit(Unit::Packets);
    IN_ERRORS = Field::new("system.network.in.errors", Kind::Long, "Packets received with errors.").unit(Unit::Packets);
    IN_DROPPED = Field::new("system.network.in.dropped", Kind::Long, "Packets received and dropped.").unit(Unit::Packets);
    OUT_BYTES = Field::new("system.network.out.bytes", Kind::Long, "Bytes sent since the interface was made.").unit(Unit::Bytes);
    OUT_PACKETS = Field::new("system.network.out.packets", Kind::Long, "Packets sent.").unit(Unit::Packets);
    OUT_ERRORS = Field::new("system.network.out.errors", Kind::Long, "Packets not sent because of errors.").unit(Unit::Packets);
    OUT_DROPPED = Field::new("system.network.out.dropped", Kind::Long, "Packets dropped instead of sent.").unit(Unit::Packets);
    INGRESS_BYTES = Field::new("host.network.ingress.bytes", Kind::Long, "Bytes received on all interfaces since the last measurement.").unit(Unit::Bytes);
    INGRESS_PACKETS = Field::new("host.network.ingress.packets", Kind::Long, "Packets received on all interfaces since the last measurement.").unit(Unit::Packets);
    EGRESS_BYTES = Field::new("host.network.egress.bytes", Kind::Long, "Bytes sent on all interfaces since the last measurement.").unit(Unit::Bytes);
    EGRESS_PACKETS = Field::new("host.network.egress.packets", Kind::Long, "Packets sent on all interfaces since the last measurement.").unit(Unit::Packets);
}

static NETWORK: Metricset =
    Metricset { module: "system", name: "network", dataset: "system.network", kind: "network" };

/// Writes one event for each interface, and one of the host.
pub(crate) fn events(now: &[Interface], earlier: Option<&[Interface]>, out: &mut Writer<'_>) {
    for interface in now {
        out.event(&NETWORK, |fields| {
            fields.put_text(&NAME, interface.name.as_bytes());
            for (field, value) in [
                (&IN_BYTES, interface.received.bytes),
                (&IN_PACKETS, interface.received.packets),
                (&IN_ERRORS, interface.received.errors),
                (&IN_DROPPED, interface.received.dropped),
                (&OUT_BYTES, interface.sent.bytes),
                (&OUT_PACKETS, interface.sent.packets),
                (&OUT_ERRORS, interface.sent.errors),
                (&OUT_DROPPED, interface.sent.dropped),
            ] {
                fields.put(field, value);
            }
        });
    }
    let Some(earlier) = earlier else { return };
    let (mut received, mut sent) = (Traffic::default(), Traffic::default());
    for interface in now {
        // One that was not there has counted everything since.
        let before = earlier.iter().find(|e| e.name == interface.name).copied().unwrap_or_default();
        received.add_change(&interface.received, &before.received);
        sent.add_change(&interface.sent, &before.sent);
    }
    out.event(&NETWORK, |fields| {
        fields.put(&INGRESS_BYTES, received.bytes);
        fields.put(&INGRESS_PACKETS, received.packets);
        fields.put(&EGRESS_BYTES, sent.bytes);
        fields.put(&EGRESS_PACKETS, sent.packets);
    });
}

impl Traffic {
    /// Counters that went back belong to another interface of the same name: all they say is new.
    fn add_change(&mut self, now: &Self, before: &Self) {
        let change = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
        self.bytes = self.bytes.saturating_add(change(now.bytes, before.bytes));
        self.packets = self.packets.saturating_add(change(now.packets, before.packets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_net_dev() {
        let text = b"Inter-|   Receive                                                |  Transmit\n \
            face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
            lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\n  eth0:2200000000 3 4 5 6 7 8 9 20 21 22 23 24 25 26 27\n";
        let mut out = Vec::new();
        parse(text, &mut out);
        assert_eq!(out.len(), 2);
        assert_eq!(out[1].name, Name::new(b"eth0"));
        assert_eq!(out[1].received, Traffic { bytes: 2_200_000_000, packets: 3, errors: 4, dropped: 5 });
        assert_eq!(out[1].sent, Traffic { bytes: 20, packets: 21, errors: 22, dropped: 23 });
        parse(b"\x00:\n::::\nx", &mut out);
        assert_eq!(out.len(), 2);
    }
}
