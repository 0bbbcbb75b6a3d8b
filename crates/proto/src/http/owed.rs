//! Answers that are still to come to requests that were given up.

use super::half::Verb;

/// Requests that were published without an answer while the connection went on, oldest first. Answers come in order
/// (RFC 9112 9.3.2), so theirs come before those of the requests that wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owed {
    count: u32,
    /// What the first 32 of them asked, two bits each: the oldest lowest.
    verbs: u64,
}

impl Owed {
    /// One more is given up.
    pub(super) fn add(&mut self, verb: Verb) {
        let code = match verb {
            Verb::Other => 0,
            Verb::Head => 1,
            Verb::Connect => 2,
        };
        if self.count < u64::BITS / 2 {
            self.verbs |= code << (2 * self.count);
        }
        self.count = self.count.saturating_add(1);
    }

    /// An answer comes: what it answers, if that was given up.
    pub(super) fn take(&mut self) -> Option<Verb> {
        self.count = self.count.checked_sub(1)?;
        let code = self.verbs & 3;
        self.verbs >>= 2;
        Some(match code {
            1 => Verb::Head,
            2 => Verb::Connect,
            _ => Verb::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_given_up_first_answered() {
        let mut owed = Owed::default();
        let verb = |n: usize| [Verb::Other, Verb::Head, Verb::Connect, Verb::Head][n % 4];
        for round in 0..3 {
            // More than have room: what those asked is not known.
            (0..40).for_each(|n| owed.add(verb(n)));
            for n in 0..40 {
                assert_eq!(owed.take(), Some(if n < 32 { verb(n) } else { Verb::Other }), "{round} {n}");
            }
            assert_eq!(owed.take(), None);
        }
    }
}
