//! What could not be measured, by name.

macro_rules! losses {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What was measured and what could not be.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Losses {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Losses {
            /// Name, value and meaning of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
                [$((stringify!($name), self.$name, concat!($($doc),+).trim_ascii())),+].into_iter()
            }
        }
    };
}

losses! {
    /// Measurements made.
    periods,
    /// Measurements left out because the one before took too long.
    periods_skipped,
    /// Files of the host that could not be read or understood.
    unreadable,
    /// Processes that ended while they were read.
    processes_ended,
    /// Files of processes that we may not read.
    processes_refused,
    /// Processes left out because there were too many.
    processes_cut,
    /// Command lines cut because they are too long.
    command_lines_cut,
    /// Secrets masked in command lines.
    redacted,
    /// Filesystems that did not answer, each time.
    filesystems_hung,
    /// Filesystems that could not be asked.
    filesystems_refused,
    /// Containers whose counters could not be read.
    containers_refused,
    /// Times that TCP sockets were too many to look at their states.
    sockets_not_listed,
}
