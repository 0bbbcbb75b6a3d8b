import assert from "node:assert/strict";
import { test } from "node:test";
import { fields } from "../../src/core/mapping";
import { rows } from "../../src/pages/indices";
import { health, silent } from "../../src/pages/status";

test("whatever the status leaves out is not known, not zero", () => {
  for (const status of [undefined, null, {}, { capture: {} }, { capture: null, journal: 3 }, { capture: { devices: "x", loss: [{}], notes: [1] } }]) {
    const h = health(status);
    assert.equal(h.rates.packets, null);
    assert.equal(h.memory.used, null);
    assert.deepEqual(h.loss, []);
    assert.deepEqual(h.notes, []);
    assert.equal(silent(h), false);
  }
});

test("nothing captured is told from nothing known", () => {
  assert.equal(silent(health({ mode: "run", capture: { running: false } })), true);
  assert.equal(silent(health({ mode: "run", capture: { running: true, devices: [{ name: "lo", captured: true, packets: 0 }] } })), true);
  assert.equal(silent(health({ mode: "run", capture: { running: true, devices: [{ name: "lo", captured: true, packets: 3 }] } })), false);
  assert.equal(silent(health({ mode: "run", capture: { running: true, devices: [{ name: "lo", captured: false, why: "down" }] } })), true);
  assert.equal(silent(health({ mode: "read", capture: { running: false } })), false);
});

test("numbers and times are read in each form", () => {
  const h = health({ started: "2026-01-01T00:00:00Z", journal: { bytes: 5, readers: [{ name: "store", lag_events: 1, lag_bytes: 2, lost_to_quota: 0 }] } });
  assert.equal(h.started, Date.UTC(2026, 0, 1));
  assert.deepEqual(h.readers, [{ name: "store", lagEvents: 1, lagBytes: 2, lost: 0 }]);
});

test("indices are listed with their span, the newest first", () => {
  const cat = [
    { index: "packetbeat-2026.01.01", health: "green", "docs.count": "2", "store.size": "10" },
    { index: "packetbeat-2026.01.02", health: "green", "docs.count": "0", "store.size": "0" },
  ];
  const spans = { aggregations: { i: { buckets: [{ key: "packetbeat-2026.01.01", doc_count: 2, from: { value: 5 }, to: { value: 9 } }] } } };
  assert.deepEqual(rows(cat, spans), [
    { name: "packetbeat-2026.01.02", health: "green", documents: 0, bytes: 0, from: null, to: null },
    { name: "packetbeat-2026.01.01", health: "green", documents: 2, bytes: 10, from: 5, to: 9 },
  ]);
  assert.deepEqual(rows("nonsense", null), []);
});

test("fields of a mapping are flattened, aliases name what they stand for", () => {
  const mapping = { i: { mappings: { properties: { a: { properties: { b: { type: "ip" } } }, c: { type: "alias", path: "a.b" }, d: { type: "text", fields: { raw: { type: "keyword" } } } } } } };
  assert.deepEqual(fields(mapping), [
    { name: "a.b", type: "ip" },
    { name: "c", type: "alias", path: "a.b" },
    { name: "d", type: "text" },
    { name: "d.raw", type: "keyword" },
  ]);
});
