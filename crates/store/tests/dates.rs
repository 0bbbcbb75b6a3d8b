//! Formats, date math, rounding, with changes of the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use wirebeat_store::lang::date::round::Unit;
use wirebeat_store::lang::date::{Calendar, DateFormat, DateParser, Rounding, Zone};

/// Milliseconds of an instant, by another library's reader.
fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn show(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn read(text: &str, zone: Option<&str>, up: bool, format: &str) -> String {
    let format = DateFormat::parse(format).unwrap();
    let zone = zone.map(|z| Zone::parse(z).unwrap());
    // A Wednesday.
    let now = ms("2026-11-25T13:45:17.123Z");
    match (DateParser { format: &format, zone: zone.as_ref(), now }).read(text, up) {
        Ok(ms) => show(ms),
        Err(e) => format!("{}: {}", e.kind, e.reason),
    }
}

const DEFAULT: &str = DateFormat::DEFAULT;

#[test]
fn date_math() {
    // Text, the first millisecond it means, the last one.
    for (text, first, last) in [
        ("now", "2026-11-25T13:45:17.123Z", "2026-11-25T13:45:17.123Z"),
        ("now-15m", "2026-11-25T13:30:17.123Z", "2026-11-25T13:30:17.123Z"),
        ("now+1h-1s", "2026-11-25T14:45:16.123Z", "2026-11-25T14:45:16.123Z"),
        ("now/d", "2026-11-25T00:00:00.000Z", "2026-11-25T23:59:59.999Z"),
        ("now-15m/d", "2026-11-25T00:00:00.000Z", "2026-11-25T23:59:59.999Z"),
        ("now/d-1d", "2026-11-24T00:00:00.000Z", "2026-11-24T23:59:59.999Z"),
        ("now/h", "2026-11-25T13:00:00.000Z", "2026-11-25T13:59:59.999Z"),
        ("now/m", "2026-11-25T13:45:00.000Z", "2026-11-25T13:45:59.999Z"),
        ("now/s", "2026-11-25T13:45:17.000Z", "2026-11-25T13:45:17.999Z"),
        ("now/w", "2026-11-23T00:00:00.000Z", "2026-11-29T23:59:59.999Z"),
        ("now/M", "2026-11-01T00:00:00.000Z", "2026-11-30T23:59:59.999Z"),
        ("now/y", "2026-01-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z"),
        ("now-1M/M", "2026-10-01T00:00:00.000Z", "2026-10-31T23:59:59.999Z"),
        ("now+10y", "2036-11-25T13:45:17.123Z", "2036-11-25T13:45:17.123Z"),
        // The reference's examples.
        ("2014-11-18||/M", "2014-11-01T00:00:00.000Z", "2014-11-30T23:59:59.999Z"),
        ("2001-02-01||+1M/d", "2001-03-01T00:00:00.000Z", "2001-03-01T23:59:59.999Z"),
        ("2026-01-31||+1M", "2026-02-28T00:00:00.000Z", "2026-02-28T00:00:00.000Z"),
        ("2024-02-29||+1y", "2025-02-28T00:00:00.000Z", "2025-02-28T00:00:00.000Z"),
        ("2026-11-25||/d", "2026-11-25T00:00:00.000Z", "2026-11-25T23:59:59.999Z"),
        ("2026-11-25T12||+1d", "2026-11-26T12:00:00.000Z", "2026-11-26T12:00:00.000Z"),
    ] {
        assert_eq!(read(text, None, false, DEFAULT), first, "{text}");
        assert_eq!(read(text, None, true, DEFAULT), last, "{text}");
    }
}

#[test]
fn what_is_not_said_is_the_beginning_or_the_end() {
    for (text, first, last) in [
        ("2026", "2026-01-01T00:00:00.000Z", "2026-01-01T23:59:59.999Z"),
        ("2026-11", "2026-11-01T00:00:00.000Z", "2026-11-01T23:59:59.999Z"),
        ("2026-11-25", "2026-11-25T00:00:00.000Z", "2026-11-25T23:59:59.999Z"),
        ("2026-11-25T10", "2026-11-25T10:00:00.000Z", "2026-11-25T10:59:59.999Z"),
        ("2026-11-25T10:30", "2026-11-25T10:30:00.000Z", "2026-11-25T10:30:59.999Z"),
        ("2026-11-25T10:30:15", "2026-11-25T10:30:15.000Z", "2026-11-25T10:30:15.999Z"),
        ("2026-11-25T10:30:15.5", "2026-11-25T10:30:15.500Z", "2026-11-25T10:30:15.500Z"),
        ("2026-11-25T10:30:15,123456789+01:00", "2026-11-25T09:30:15.123Z", "2026-11-25T09:30:15.123Z"),
        ("1420070400001", "2015-01-01T00:00:00.001Z", "2015-01-01T00:00:00.001Z"),
        ("-1", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(read(text, None, false, DEFAULT), first, "{text}");
        assert_eq!(read(text, None, true, DEFAULT), last, "{text}");
    }
}

#[test]
fn formats() {
    for (format, text, instant) in [
        ("epoch_millis", "1420070400001", "2015-01-01T00:00:00.001Z"),
        ("epoch_second", "1420070400", "2015-01-01T00:00:00.000Z"),
        ("epoch_second", "1420070400.5", "2015-01-01T00:00:00.500Z"),
        ("yyyy.MM.dd", "2026.11.25", "2026-11-25T00:00:00.000Z"),
        ("yyyyMMdd HHmm", "20261125 0730", "2026-11-25T07:30:00.000Z"),
        ("dd/MM/yyyy||yyyy", "25/11/2026", "2026-11-25T00:00:00.000Z"),
        ("dd/MM/yyyy||yyyy", "2026", "2026-01-01T00:00:00.000Z"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2026-11-25 01:02:03.004", "2026-11-25T01:02:03.004Z"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "25/Nov/2026:10:00:00 +0130", "2026-11-25T08:30:00.000Z"),
        ("EEE MMM d HH:mm:ss yyyy", "Wed Nov 25 10:00:00 2026", "2026-11-25T10:00:00.000Z"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-11-25T10:00:00-05:00", "2026-11-25T15:00:00.000Z"),
        ("yyyy-MM-dd h:mm a", "2026-11-25 12:05 AM", "2026-11-25T00:05:00.000Z"),
        ("basic_date_time", "20261125T100000.250Z", "2026-11-25T10:00:00.250Z"),
        ("strict_week_date", "2026-W48-3", "2026-11-25T00:00:00.000Z"),
        ("ordinal_date", "2026-329", "2026-11-25T00:00:00.000Z"),
        ("date_optional_time", "2026-1-5T7:3", "2026-01-05T07:03:00.000Z"),
        ("yyyy-MM-dd VV", "2026-11-25 Europe/Berlin", "2026-11-24T23:00:00.000Z"),
    ] {
        assert_eq!(read(text, None, false, format), instant, "{format} {text}");
    }
    // Written: in the first way of several, with the zone's offset.
    let at = ms("2026-07-01T10:20:30.045Z");
    for (format, zone, text) in [
        (DEFAULT, "UTC", "2026-07-01T10:20:30.045Z"),
        (DEFAULT, "Europe/Berlin", "2026-07-01T12:20:30.045+02:00"),
        ("yyyy-MM-dd", "Asia/Kolkata", "2026-07-01"),
        ("epoch_millis", "Europe/Berlin", "1782901230045"),
        ("epoch_second", "UTC", "1782901230.045"),
        ("E, d MMMM yyyy h:m a", "America/New_York", "Wed, 1 July 2026 6:20 AM"),
        ("date_hour_minute", "UTC", "2026-07-01T10:20"),
        ("YYYY-'W'ww", "UTC", "2026-W27"),
        ("HH:mm:ss.SSSSSS xx", "+05:45", "16:05:30.045000 +0545"),
    ] {
        let format = DateFormat::parse(format).unwrap();
        assert_eq!(format.write_ms(at, &Zone::parse(zone).unwrap()), text);
    }
}

#[test]
fn what_cannot_be_read() {
    for (text, error) in [
        ("now*1d", "parse_exception: operator not supported for date math [*1d]"),
        ("now-", "parse_exception: truncated date math [-]"),
        ("now-5", "parse_exception: truncated date math [-5]"),
        ("now/2d", "parse_exception: rounding `/` can only be used on single unit types [/2d]"),
        ("now+1x", "parse_exception: unit [x] not supported for date math [+1x]"),
        (
            "2026-13-01",
            "parse_exception: failed to parse date field [2026-13-01] with format \
             [strict_date_optional_time||epoch_millis]: [failed to parse date field [2026-13-01] with format \
             [strict_date_optional_time||epoch_millis]]",
        ),
        (
            "2026-1-1",
            "parse_exception: failed to parse date field [2026-1-1] with format \
             [strict_date_optional_time||epoch_millis]: [failed to parse date field [2026-1-1] with format \
             [strict_date_optional_time||epoch_millis]]",
        ),
    ] {
        assert_eq!(read(text, None, false, DEFAULT), error);
    }
    let error = DateFormat::parse("yyyy-MM-dd'T").unwrap_err();
    assert_eq!(error.kind, "illegal_argument_exception");
    assert!(
        DateFormat::parse("foo")
            .unwrap_err()
            .reason
            .starts_with("Invalid format: [foo]: Unknown pattern letter")
    );
    assert_eq!(Zone::parse("Mars/Olympus").unwrap_err().reason, "Unknown time-zone ID: Mars/Olympus");
}

/// Berlin's clock: +01:00 until 2026-03-29 02:00, +02:00 until 2026-10-25 03:00.
#[test]
fn time_zones() {
    let berlin = Some("Europe/Berlin");
    for (text, first) in [
        ("2026-03-28", "2026-03-27T23:00:00.000Z"),
        ("2026-03-30", "2026-03-29T22:00:00.000Z"),
        ("2026-03-29||+1d", "2026-03-29T22:00:00.000Z"),
        ("2026-03-29||+24h", "2026-03-29T23:00:00.000Z"),
        // In the gap: Java takes the time as it would have been.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00.000Z"),
        // Twice: the first one.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z"),
        ("2026-10-25T12:00:00||/d", "2026-10-24T22:00:00.000Z"),
        // A zone of its own wins.
        ("2026-03-28T00:00:00Z", "2026-03-28T00:00:00.000Z"),
    ] {
        assert_eq!(read(text, berlin, false, DEFAULT), first, "{text}");
    }
    assert_eq!(read("2026-10-25||/d", berlin, true, DEFAULT), "2026-10-25T22:59:59.999Z");
    assert_eq!(read("now/d", Some("-08:00"), false, DEFAULT), "2026-11-25T08:00:00.000Z");
}

fn rounding(unit: Unit, zone: &str) -> Rounding {
    Rounding { unit, zone: Zone::parse(zone).unwrap(), offset: 0 }
}

#[test]
fn calendar_buckets() {
    for (unit, zone, instant, key, next) in [
        (
            Calendar::Day,
            "Europe/Berlin",
            "2026-03-29T12:00:00Z",
            "2026-03-28T23:00:00.000Z",
            "2026-03-29T22:00:00.000Z",
        ),
        (
            Calendar::Day,
            "Europe/Berlin",
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00.000Z",
            "2026-10-25T23:00:00.000Z",
        ),
        (
            Calendar::Week,
            "UTC",
            "2026-11-25T12:00:00Z",
            "2026-11-23T00:00:00.000Z",
            "2026-11-30T00:00:00.000Z",
        ),
        (
            Calendar::Month,
            "America/New_York",
            "2026-03-01T01:00:00Z",
            "2026-02-01T05:00:00.000Z",
            "2026-03-01T05:00:00.000Z",
        ),
        (
            Calendar::Month,
            "America/New_York",
            "2026-03-20T01:00:00Z",
            "2026-03-01T05:00:00.000Z",
            "2026-04-01T04:00:00.000Z",
        ),
        (
            Calendar::Quarter,
            "UTC",
            "2026-08-25T12:00:00Z",
            "2026-07-01T00:00:00.000Z",
            "2026-10-01T00:00:00.000Z",
        ),
        (
            Calendar::Year,
            "Asia/Tokyo",
            "2026-12-31T16:00:00Z",
            "2026-12-31T15:00:00.000Z",
            "2027-12-31T15:00:00.000Z",
        ),
        (
            Calendar::Hour,
            "Asia/Kolkata",
            "2026-11-25T12:10:00Z",
            "2026-11-25T11:30:00.000Z",
            "2026-11-25T12:30:00.000Z",
        ),
        (
            Calendar::Minute,
            "UTC",
            "2026-11-25T12:10:59.999Z",
            "2026-11-25T12:10:00.000Z",
            "2026-11-25T12:11:00.000Z",
        ),
        // Midnight did not happen in Santiago on 2026-09-06: the clock went from 24:00 to 01:00.
        (
            Calendar::Day,
            "America/Santiago",
            "2026-09-06T12:00:00Z",
            "2026-09-06T04:00:00.000Z",
            "2026-09-07T03:00:00.000Z",
        ),
        // Both 02:00 of the last Sunday of October are hours of their own.
        (
            Calendar::Hour,
            "Europe/Berlin",
            "2026-10-25T00:30:00Z",
            "2026-10-25T00:00:00.000Z",
            "2026-10-25T01:00:00.000Z",
        ),
        (
            Calendar::Hour,
            "Europe/Berlin",
            "2026-10-25T01:30:00Z",
            "2026-10-25T01:00:00.000Z",
            "2026-10-25T02:00:00.000Z",
        ),
        (
            Calendar::Hour,
            "Europe/Berlin",
            "2026-03-29T01:30:00Z",
            "2026-03-29T01:00:00.000Z",
            "2026-03-29T02:00:00.000Z",
        ),
    ] {
        let rounding = rounding(Unit::Calendar(unit), zone);
        assert_eq!(show(rounding.round(ms(instant))), key, "{unit:?} {zone} {instant}");
        assert_eq!(show(rounding.next(ms(key))), next, "{unit:?} {zone} {instant}");
    }
}

#[test]
fn fixed_buckets() {
    let hour = 3_600_000;
    for (length, zone, instant, key) in [
        (hour, "UTC", "2026-11-25T12:10:00Z", "2026-11-25T12:00:00.000Z"),
        (24 * hour, "Europe/Berlin", "2026-11-25T12:00:00Z", "2026-11-24T23:00:00.000Z"),
        (24 * hour, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z"),
        (24 * hour, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00.000Z"),
        (3 * hour, "Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-29T01:00:00.000Z"),
        (hour, "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00.000Z"),
        (hour, "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00.000Z"),
        (7 * 24 * hour, "UTC", "1970-01-02T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        (1000, "UTC", "1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.000Z"),
    ] {
        let rounding = rounding(Unit::Fixed(length), zone);
        assert_eq!(show(rounding.round(ms(instant))), key, "{length} {zone} {instant}");
    }
    // Every bucket begins six hours later.
    let later = Rounding { offset: 6 * hour, ..rounding(Unit::Calendar(Calendar::Day), "UTC") };
    assert_eq!(show(later.round(ms("2026-11-25T05:00:00Z"))), "2026-11-24T06:00:00.000Z");
    assert_eq!(show(later.round(ms("2026-11-25T07:00:00Z"))), "2026-11-25T06:00:00.000Z");
    assert_eq!(show(later.next(ms("2026-11-25T06:00:00Z"))), "2026-11-26T06:00:00.000Z");
}

/// Keys follow each other, and what a span promises holds.
#[test]
fn buckets_lie_side_by_side() {
    let hour = 3_600_000;
    let units = [
        Unit::Calendar(Calendar::Minute),
        Unit::Calendar(Calendar::Hour),
        Unit::Calendar(Calendar::Day),
        Unit::Calendar(Calendar::Week),
        Unit::Calendar(Calendar::Month),
        Unit::Fixed(90 * 60_000),
        Unit::Fixed(5 * hour),
        Unit::Fixed(24 * hour),
    ];
    let zones =
        ["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "-03:30"];
    let starts =
        ["2026-03-28T20:00:00Z", "2026-04-04T10:00:00Z", "2026-09-05T20:00:00Z", "2026-10-24T20:00:00Z"];
    for unit in units {
        for zone in zones {
            for start in starts {
                for offset in [0, 2 * hour] {
                    let rounding = Rounding { offset, ..rounding(unit, zone) };
                    let mut at = ms(start);
                    let end = at + 3 * 24 * hour;
                    let mut last = i64::MIN;
                    while at < end {
                        let key = rounding.round(at);
                        let why = format!("{unit:?} {zone} {offset} {}", show(at));
                        assert!(key <= at, "{why}");
                        assert!(key >= last, "{why}: back from {} to {}", show(last), show(key));
                        assert!(rounding.next(key) > key, "{why}");
                        let (same, until) = rounding.span(at);
                        assert_eq!(same, key, "{why}");
                        for inside in [at, (at + until - 1) / 2, until - 1] {
                            assert_eq!(rounding.round(inside), key, "{why} {}", show(inside));
                        }
                        last = key;
                        at += 7 * 60_000 + 13;
                    }
                }
            }
        }
    }
}
