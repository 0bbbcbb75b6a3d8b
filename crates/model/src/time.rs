//! Time as the wire tells it.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored (POSIX time).
///
/// Reaches from 1677 to 2262; a capture file that claims a time outside is clamped by its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// How many digits of a second an event shows (`timestamp.precision`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Three digits, as Packetbeat does by default.
    Milli,
    /// Six digits: what most captures hold. Our default.
    #[default]
    Micro,
    /// Nine digits.
    Nano,
}

impl Precision {
    /// How many digits of a second it shows.
    pub(crate) fn digits(self) -> usize {
        match self {
            Self::Milli => 3,
            Self::Micro => 6,
            Self::Nano => 9,
        }
    }
}

impl Time {
    /// The earliest time that can be said.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be said.
    pub const MAX: Self = Self(i64::MAX);

    /// From whole seconds and nanoseconds; clamps instead of overflowing.
    pub fn from_parts(secs: i64, nanos: u32) -> Self {
        // Before 1970 counted down from the next second: the earliest one has no whole beginning.
        let (secs, nanos) = match i64::from(nanos) {
            n if secs < 0 => (secs + 1, n - 1_000_000_000),
            n => (secs, n),
        };
        Self(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The wall clock.
    pub fn now() -> Self {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(d) => Self(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)),
            Err(_) => Self(0),
        }
    }

    /// Nanoseconds from `earlier` to `self`; 0 when the clock went backwards.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Whole seconds and the nanoseconds after them.
    #[inline]
    pub(crate) fn second(self) -> (i64, u32) {
        (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000) as u32)
    }

    /// Writes RFC 3339 in UTC with the digits of `precision`, e.g. `2015-08-27T08:00:55.638957Z`.
    pub fn write_rfc3339(self, precision: Precision, out: &mut Vec<u8>) {
        let mut text = self.rfc3339();
        let end = 20 + precision.digits();
        text[end] = b'Z';
        out.extend_from_slice(&text[..=end]);
    }

    /// With all digits.
    pub(crate) fn rfc3339(self) -> [u8; 30] {
        let (secs, nanos) = self.second();
        let days = secs.div_euclid(86_400);
        let rest = secs.rem_euclid(86_400) as u32;
        let (year, month, day) = civil_from_days(days);
        let mut buf = *b"0000-00-00T00:00:00.000000000Z";
        put2(&mut buf, 0, (year / 100) as u32);
        put2(&mut buf, 2, (year % 100) as u32);
        put2(&mut buf, 5, month);
        put2(&mut buf, 8, day);
        put2(&mut buf, 11, rest / 3600);
        put2(&mut buf, 14, rest / 60 % 60);
        put2(&mut buf, 17, rest % 60);
        let mut n = nanos;
        for i in (20..29).rev() {
            buf[i] = b'0' + (n % 10) as u8;
            n /= 10;
        }
        buf
    }

    /// Reads what [`Time::write_rfc3339`] writes, with any number of fraction digits; UTC (`Z`) only.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let num = |from: usize, to: usize| -> Option<i64> {
            let s = text.get(from..to)?;
            s.bytes().all(|c| c.is_ascii_digit()).then(|| s.parse().ok())?
        };
        if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[10] != b'T' || b[13] != b':' || b[16] != b':' {
            return None;
        }
        let days = days_from_civil(num(0, 4)?, num(5, 7)? as u32, num(8, 10)? as u32);
        let secs = days * 86_400 + num(11, 13)? * 3600 + num(14, 16)? * 60 + num(17, 19)?;
        let tail = text.get(19..)?.strip_suffix('Z')?;
        let mut nanos = 0u32;
        if let Some(frac) = tail.strip_prefix('.') {
            if frac.is_empty() || frac.len() > 9 || !frac.bytes().all(|c| c.is_ascii_digit()) {
                return None;
            }
            nanos = frac.parse::<u32>().ok()? * 10u32.pow(9 - frac.len() as u32);
        } else if !tail.is_empty() {
            return None;
        }
        Some(Self::from_parts(secs, nanos))
    }

    /// Cut down to what `precision` can show.
    pub fn truncate(self, precision: Precision) -> Self {
        let unit = match precision {
            Precision::Milli => 1_000_000,
            Precision::Micro => 1_000,
            Precision::Nano => 1,
        };
        Self(self.0.div_euclid(unit) * unit)
    }
}

fn put2(buf: &mut [u8; 30], at: usize, v: u32) {
    buf[at] = b'0' + (v / 10 % 10) as u8;
    buf[at + 1] = b'0' + (v % 10) as u8;
}

/// Days since 1970-01-01 to (year, month, day), proleptic Gregorian (Hinnant's algorithm).
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(30);
        self.write_rfc3339(Precision::Nano, &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        let text = |t: Time, p| {
            let mut v = Vec::new();
            t.write_rfc3339(p, &mut v);
            String::from_utf8(v).unwrap()
        };
        assert_eq!(text(Time(0), Precision::Milli), "1970-01-01T00:00:00.000Z");
        // date -u -d @1440662455 = 2015-08-27T08:00:55Z
        assert_eq!(text(Time(1_440_662_455_638_957_000), Precision::Micro), "2015-08-27T08:00:55.638957Z");
        // 2000 was a leap year, 1900 was not
        assert_eq!(text(Time::from_parts(951_782_400, 0), Precision::Nano), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(
            text(Time::from_parts(-1, 999_999_999), Precision::Nano),
            "1969-12-31T23:59:59.999999999Z"
        );
    }

    #[test]
    fn text_and_back() {
        for n in [0, 1, -1, 1_440_662_455_638_957_123, -6_000_000_000_000_000_000, 9_000_000_000_000_000_000]
        {
            let t = Time(n);
            assert_eq!(Time::parse_rfc3339(&t.to_string()), Some(t));
        }
        for bad in ["", "2015", "2015-08-27 08:00:55Z", "2015-08-27T08:00:55", "2015-08-27T08:00:55.Z"] {
            assert_eq!(Time::parse_rfc3339(bad), None);
        }
    }
}
