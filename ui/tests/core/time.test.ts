import assert from "node:assert/strict";
import { before, test } from "node:test";
import { absolute, interval, offset, parse, rangeLabel, stamp, starts } from "../../src/core/time";

// A zone with summer time: clocks went forward on 2026-03-29 at 01:00 UTC, back on 2026-10-25 at 01:00 UTC.
before(() => {
  process.env["TZ"] = "Europe/Berlin";
});

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const NOW = Date.parse("2026-11-25T08:45:59.123Z");

test("date math goes back, on and to the unit's beginning or end", () => {
  assert.equal(iso(parse("now", NOW)), "2026-11-25T08:45:59.123Z");
  assert.equal(iso(parse("now-15m", NOW)), "2026-11-25T08:30:59.123Z");
  assert.equal(iso(parse("now-1h+30m-10s", NOW)), "2026-11-25T08:15:49.123Z");
  assert.equal(iso(parse("now/h", NOW)), "2026-11-25T08:00:00.000Z");
  assert.equal(iso(parse("now/h", NOW, true)), "2026-11-25T08:59:59.999Z");
  assert.equal(iso(parse("now-250ms", NOW)), "2026-11-25T08:45:58.873Z");
});

test("days begin where the reader is", () => {
  assert.equal(iso(parse("now/d", NOW)), "2026-11-24T23:00:00.000Z");
  assert.equal(iso(parse("now/d", NOW, true)), "2026-11-25T22:59:59.999Z");
  assert.equal(iso(parse("now/w", NOW)), "2026-11-22T23:00:00.000Z", "weeks begin on Monday");
  assert.equal(iso(parse("now/M", NOW)), "2026-10-31T23:00:00.000Z");
  assert.equal(iso(parse("now/y", NOW)), "2025-12-31T23:00:00.000Z");
});

test("a day in which the clocks change is 23 or 25 hours long", () => {
  const spring = Date.parse("2026-03-29T12:00:00Z");
  const autumn = Date.parse("2026-10-25T12:00:00Z");
  const length = (at: number) => ((parse("now/d", at, true) ?? 0) - (parse("now/d", at) ?? 0) + 1) / 3600e3;
  assert.equal(length(spring), 23);
  assert.equal(length(autumn), 25);
  assert.equal(iso(parse("now-1d", Date.parse("2026-03-29T18:00:00Z"))), "2026-03-28T19:00:00.000Z", "the same time of day, an hour longer ago");
});

test("months end where they end", () => {
  const end = Date.parse("2026-03-31T10:00:00Z");
  assert.equal(iso(parse("now-1M", end)), "2026-02-28T11:00:00.000Z");
  assert.equal(iso(parse("2024-02-29T00:00:00Z||+1y", NOW)), "2025-02-28T00:00:00.000Z");
});

test("absolute times are read with and without a zone, nonsense is not", () => {
  assert.equal(iso(absolute("2026-11-25T08:30:00Z")), "2026-11-25T08:30:00.000Z");
  assert.equal(iso(absolute("2026-11-25T08:30:00+02:00")), "2026-11-25T06:30:00.000Z");
  assert.equal(iso(absolute("2026-11-25 08:30")), "2026-11-25T07:30:00.000Z");
  assert.equal(iso(absolute("2026-11-25")), "2026-11-24T23:00:00.000Z");
  assert.equal(iso(absolute("2026-11-25 08:30:15.1234")), "2026-11-25T07:30:15.123Z");
  assert.equal(iso(absolute("0099-01-01T00:00:00Z")), "0099-01-01T00:00:00.000Z");
  for (const wrong of ["", "yesterday", "2026-13-01", "2026-02-30", "2026-11-25 24:00", "now", "<b>"]) assert.equal(absolute(wrong), null, wrong);
  for (const wrong of ["now-", "now-5", "now/q", "now-5x", "later", "now++1h"]) assert.equal(parse(wrong, NOW), null, wrong);
});

test("times are written with their offset", () => {
  assert.equal(stamp(NOW), "2026-11-25 09:45:59.123");
  assert.equal(offset(NOW), "+01:00");
  assert.equal(offset(Date.parse("2026-07-01T00:00:00Z")), "+02:00");
});

test("ranges have names", () => {
  assert.equal(rangeLabel("now-15m", "now"), "Last 15 minutes");
  assert.equal(rangeLabel("now-90s", "now"), "Last 90 seconds");
  assert.equal(rangeLabel("now-1w", "now"), "Last 1 week");
  assert.equal(rangeLabel("2026-11-25T08:00:00Z", "now"), "2026-11-25 09:00:00 → now");
  assert.equal(rangeLabel("2026-11-25T08:00:00Z", "2026-11-25T08:00:01.500Z"), "2026-11-25 09:00:00 → 09:00:01.500");
  assert.equal(rangeLabel("2026-11-25T08:00:00Z", "2026-11-26T08:00:00Z"), "2026-11-25 09:00:00 → 2026-11-26 09:00:00");
});

test("bars are round and not too many", () => {
  assert.deepEqual(interval(0, 60e3), { ms: 1e3, text: "1s" });
  assert.deepEqual(interval(0, 900e3), { ms: 15e3, text: "15s" });
  assert.deepEqual(interval(0, 86400e3), { ms: 1800e3, text: "30m" });
  for (const span of [1, 999, 12345, 86400e3 * 365 * 103]) {
    const { ms } = interval(0, span);
    assert.ok(span / ms <= 80, `${span}`);
  }
});

test("bars cover the range without a gap", () => {
  const at = starts(1_005, 5_010, 1_000, 0);
  assert.deepEqual(at, [1000, 2000, 3000, 4000, 5000]);
  assert.deepEqual(starts(0, 10, 4, 3), [-1, 3, 7]);
});
