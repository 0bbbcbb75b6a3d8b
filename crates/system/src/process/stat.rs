//! `/proc/PID/stat`: one process in one line (proc_pid_stat(5)).

use crate::name::Name;
use crate::scan::{number, words};

/// What a process does, as far as one line tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Its number.
    pub pid: u32,
    /// Its name, which anybody may choose.
    pub name: Name,
    /// The kernel's letter for its state.
    pub state: u8,
    /// The number of its parent.
    pub parent: u32,
    /// The number of its group.
    pub group: u32,
    /// Ticks in user space.
    pub user: u64,
    /// Ticks in the kernel.
    pub system: u64,
    /// Threads.
    pub threads: u64,
    /// Ticks from boot to its start: with the number, what it is known by.
    pub start: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Pages in memory.
    pub resident: u64,
}

impl Stat {
    /// Reads the line. The name stands in parentheses and may hold parentheses, blanks and line ends itself: it reaches to
    /// the last one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let pid = u32::try_from(number(text)?).ok()?;
        let open = memchr::memchr(b'(', text)?;
        let close = memchr::memrchr(b')', text).filter(|close| *close > open)?;
        let mut words = words(&text[close + 1..]);
        let state = *words.next()?.first()?;
        let mut n = [0u64; 22];
        for slot in &mut n {
            // Priorities may be negative; none of what we want is.
            *slot = number(words.next()?).unwrap_or(0);
        }
        let small = |n: u64| u32::try_from(n).unwrap_or(0);
        Some(Self {
            pid,
            name: Name::new(&text[open + 1..close]),
            state,
            parent: small(n[0]),
            group: small(n[1]),
            user: n[10],
            system: n[11],
            threads: n[16],
            start: n[18],
            size: n[19],
            resident: n[20],
        })
    }

    /// Ticks of both kinds.
    pub fn ticks(&self) -> u64 {
        self.user.saturating_add(self.system)
    }
}

/// The state in Metricbeat's words.
pub fn state_name(letter: u8) -> &'static str {
    match letter {
        b'R' => "running",
        b'S' => "sleeping",
        b'D' => "disk_sleep",
        b'I' => "idle",
        b'T' | b't' => "stopped",
        b'Z' => "zombie",
        b'X' | b'x' => "dead",
        b'K' => "wakekill",
        b'W' => "waking",
        b'P' => "parked",
        _ => "unknown",
    }
}

/// The state in the words of Topbeat 1.x.
pub(crate) fn state_name_1x(letter: u8) -> &'static str {
    match letter {
        b'S' => "sleeping",
        b'R' => "running",
        b'D' => "idle",
        b'T' => "stopped",
        b'Z' => "zombie",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        // From `man 5 proc`: fields 1 to 24, then some.
        let line = |name: &str| {
            format!(
                "4242 ({name}) S 1 4242 4242 0 -1 4194304 901 0 2 0 150 50 0 0 20 0 3 0 987654 12345856 1234 1844674407 1 1\n"
            )
        };
        for name in ["nginx", "a) S 1 2 3 (b", "x\ny", "", "((", "))"] {
            let stat = Stat::parse(line(name).as_bytes()).unwrap();
            assert_eq!(stat.name, Name::new(name.as_bytes()));
            assert_eq!((stat.pid, stat.state, stat.parent, stat.group), (4242, b'S', 1, 4242));
            assert_eq!((stat.user, stat.system, stat.threads, stat.start), (150, 50, 3, 987_654));
            assert_eq!((stat.size, stat.resident), (12_345_856, 1234));
        }
        for wrong in ["", "1", "1 (", "1 ()", "1 (a) S 1 2", "x (a) S", "1 )( S 1"] {
            assert_eq!(Stat::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
