//! Names of users, from the host's `/etc/passwd`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::hostfs::Hostfs;
use crate::scan::{lines, number};

/// Names by number, read again when the file has changed.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: HashMap<u32, Arc<str>>,
    seen: Option<(SystemTime, u64)>,
}

/// The most that is read of the file.
const MAX: u64 = 16 << 20;

impl Users {
    /// Looks whether the file has changed.
    pub(crate) fn refresh(&mut self, host: &Hostfs) {
        let path = host.path("etc/passwd");
        let seen = std::fs::metadata(&path).ok().filter(|m| m.is_file());
        let seen = seen.and_then(|m| Some((m.modified().ok()?, m.len())));
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        self.names.clear();
        if let Some(text) = seen.filter(|(_, len)| *len <= MAX).and_then(|_| std::fs::read(&path).ok()) {
            self.read(&text);
        }
    }

    fn read(&mut self, text: &[u8]) {
        for line in lines(text) {
            let mut parts = line.split(|b| *b == b':');
            let (Some(name), Some(uid)) = (parts.next(), parts.nth(1).and_then(number)) else { continue };
            if let Ok(uid) = u32::try_from(uid) {
                let name = String::from_utf8_lossy(name);
                self.names.entry(uid).or_insert_with(|| Arc::from(name.as_ref()));
            }
        }
    }

    /// The name of a user, or the number in digits.
    pub(crate) fn name(&mut self, uid: u32) -> Arc<str> {
        Arc::clone(self.names.entry(uid).or_insert_with(|| Arc::from(uid.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_counts_and_unknown_ones_are_numbers() {
        let mut users = Users::default();
        users.read(b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n+::::::\nbroken\nwww:x:33:33::/:\n");
        assert_eq!(&*users.name(0), "root");
        assert_eq!(&*users.name(33), "www");
        assert_eq!(&*users.name(4_000_000), "4000000");
    }
}
