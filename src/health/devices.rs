//! Traffic of the devices, as the kernel counts it.

use std::collections::HashMap;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Traffic {
    /// What came since `before`; a device that was made anew begins at 0.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let of = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
        Self { packets: of(self.packets, before.packets), bytes: of(self.bytes, before.bytes) }
    }
}

/// Devices looked at, at most.
const MAX_DEVICES: usize = 4096;

/// What each device of this network namespace has received and sent since it was made.
pub fn read() -> HashMap<String, Traffic> {
    std::fs::read_to_string("/proc/self/net/dev").map_or_else(|_| HashMap::new(), |text| parse(&text))
}

fn parse(text: &str) -> HashMap<String, Traffic> {
    let line = |line: &str| {
        let (name, numbers) = line.rsplit_once(':')?;
        let n: Vec<u64> = numbers.split_ascii_whitespace().map_while(|n| n.parse().ok()).collect();
        let (received, sent) = (n.get(0..2)?, n.get(8..10)?);
        // What loopback sends it receives: once is enough.
        let twice = u64::from(name.trim() != "lo");
        let packets = received[1] + sent[1] * twice;
        Some((name.trim().to_owned(), Traffic { packets, bytes: received[0] + sent[0] * twice }))
    };
    text.lines().filter_map(line).take(MAX_DEVICES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let text = "Inter-|   Receive                                                |  Transmit\n \
                    face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
                    lo:  100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0\n  \
                    eth0: 1000      10    0    0    0     0          0         0     3000      30    0    0    0     0       0          0\n\
                    bad: 1 2\n";
        let all = parse(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all["lo"], Traffic { packets: 2, bytes: 100 });
        assert_eq!(all["eth0"], Traffic { packets: 40, bytes: 4000 });
        let before = Traffic { packets: 39, bytes: 9000 };
        assert_eq!(all["eth0"].since(before), Traffic { packets: 1, bytes: 4000 });
    }
}
