//! What is measured.

use std::path::PathBuf;
use std::time::Duration;

use regex::RegexSet;

/// Everything that can be chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often.
    pub period: Duration,
    /// The root directory of the host that is measured.
    pub hostfs: PathBuf,
    /// Which measurements.
    pub sets: Sets,
    /// Processes whose name matches one of these are told; `None`: whatever their name.
    pub names: Option<RegexSet>,
    /// How many processes by CPU and by memory are told; `None`: all.
    pub top: Option<(usize, usize)>,
    /// Types of filesystems left out; `None`: those that `/proc/filesystems` calls nodev.
    pub ignore_types: Option<Vec<String>>,
    /// Labels of each event.
    pub tags: Vec<String>,
    /// Whether names of Topbeat 1.x are added where they are no alias.
    pub fields_1x: bool,
    /// The sensor's number, for ids.
    pub source: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(10),
            hostfs: PathBuf::from("/"),
            sets: Sets::default(),
            names: None,
            top: Some((10, 10)),
            ignore_types: None,
            tags: Vec::new(),
            fields_1x: false,
            source: 0,
        }
    }
}

/// The patterns as one; none for patterns of which one matches every name.
///
/// # Errors
/// For a pattern that is not understood.
pub fn patterns(patterns: &[String]) -> Result<Option<RegexSet>, regex::Error> {
    if patterns.iter().any(|p| p == ".*") {
        return Ok(None);
    }
    regex::RegexSetBuilder::new(patterns).size_limit(1 << 20).build().map(Some)
}

macro_rules! sets {
    ($($(#[doc = $doc:literal])+ $name:ident = $default:literal,)+) => {
        /// Which measurements are made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Sets {
            $($(#[doc = $doc])+ pub $name: bool,)+
        }

        impl Default for Sets {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Sets {
            /// Their names.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// None of them.
            pub const NONE: Self = Self { $($name: false,)+ };

            /// The switch of this name.
            pub fn by_name(&mut self, name: &str) -> Option<&mut bool> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }
        }
    };
}

sets! {
    /// CPU time by mode.
    cpu = true,
    /// The same of each core.
    core = false,
    /// Load averages.
    load = true,
    /// Memory and swap.
    memory = true,
    /// Interfaces.
    network = true,
    /// Disks.
    diskio = true,
    /// Each filesystem.
    filesystem = true,
    /// All filesystems together.
    fsstat = true,
    /// Processes.
    process = true,
    /// Processes by state.
    process_summary = true,
    /// Sockets by protocol and state.
    socket_summary = true,
    /// Time since boot.
    uptime = true,
    /// Containers.
    container = true,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_topbeat_takes_them() {
        let of = |p: &[&str]| patterns(&p.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert!(of(&["x", ".*"]).unwrap().is_none());
        let set = of(&["^ngin", "redis"]).unwrap().unwrap();
        assert!(set.is_match("nginx") && set.is_match("my-redis-server") && !set.is_match("xnginx"));
        assert!(!of(&[]).unwrap().unwrap().is_match("anything"), "an empty list chooses nothing");
        assert!(of(&["("]).is_err());
        assert!(of(&["(a{1000}){1000}"]).is_err());
    }

    #[test]
    fn sets_by_name() {
        let mut sets = Sets::NONE;
        for name in Sets::NAMES {
            *sets.by_name(name).unwrap() = true;
        }
        assert!(sets.cpu && sets.core && sets.container && sets.by_name("ntp").is_none());
    }
}
