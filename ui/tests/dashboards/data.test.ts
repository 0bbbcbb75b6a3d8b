import assert from "node:assert/strict";
import { test } from "node:test";
import { aggregations, behind, steps } from "../../src/dashboards/request";
import { data } from "../../src/dashboards/data";
import { clause } from "../../src/core/filter";
import { stepFor } from "../../src/dashboards/frame";
import { place } from "../../src/dashboards/geohash";
import { read } from "../../src/dashboards/answers";
import { forget, losses, observe, within } from "../../src/dashboards/loss";
import type { Dashboard, Panel } from "../../src/dashboards/types";

const frame = { from: 0, to: 3000, step: 1000 };
const dash: Dashboard = { version: 1, id: "t", title: "", about: "", tags: [], index: "packetbeat-*", where: [{ field: "type", op: "is", value: "http" }], empty: "", panels: [] };
const base: Panel = { id: "p", title: "", chart: "bars", width: 6, metrics: [{ op: "count", label: "Events" }], time: true };

test("filters become clauses", () => {
  assert.deepEqual(clause({ field: "a", op: "is", value: 1 }), { term: { a: { value: 1 } } });
  assert.deepEqual(clause({ field: "a", op: "one_of", value: ["x", "y"], negate: true }), { bool: { must_not: [{ terms: { a: ["x", "y"] } }] } });
  assert.deepEqual(clause({ field: "a", op: "range", value: { gte: 1, lt: 2 } }), { range: { a: { gte: 1, lt: 2 } } });
});

test("events without a field that the panel is about are not behind it", () => {
  const p: Panel = { ...base, split: [{ field: "url.path", size: 5, label: "Path" }], metrics: [{ op: "avg", field: "event.duration", label: "Time" }] };
  assert.deepEqual(behind(dash, p), [
    { field: "type", op: "is", value: "http" },
    { field: "url.path", op: "exists" },
    { field: "event.duration", op: "exists" },
  ]);
});

test("two measured fields need neither", () => {
  const p: Panel = { ...base, metrics: [{ op: "sum", field: "source.bytes", label: "Out" }, { op: "sum", field: "destination.bytes", label: "In" }] };
  assert.deepEqual(behind(dash, p), dash.where);
});

test("another index does not take the dashboard's filters", () => {
  assert.deepEqual(behind(dash, { ...base, index: "topbeat-*" }), []);
});

test("a bucket is at most a sixtieth of the range", () => {
  assert.equal(stepFor(60_000), 1000);
  assert.equal(stepFor(15 * 60_000), 15_000);
  assert.equal(stepFor(24 * 3_600_000), 1_800_000);
  for (const span of [1, 999, 61_000, 3_600_000, 86_400_000 * 3650]) assert.ok(span / stepFor(span) <= 60);
});

const t = (key: number, n: number, more: object = {}) => ({ key, doc_count: n, ...more });

test("what the largest values leave is shown, and the bars add up to the number", () => {
  const p: Panel = { ...base, split: [{ field: "method", size: 1, label: "Method" }] };
  const aggs = {
    t: { buckets: [t(0, 5), t(1000, 0), t(2000, 2)] },
    s: { sum_other_doc_count: 3, buckets: [{ key: "GET", doc_count: 4, t: { buckets: [t(0, 4)] } }] },
  };
  const d = data(p, aggs, 7, frame);
  assert.ok(d.kind === "time");
  assert.deepEqual(d.series.map((s) => [s.label, s.values]), [["GET", [4, 0, 0]], ["Others", [1, 0, 2]]]);
  assert.deepEqual(d.series[1]?.pick, [{ field: "method", op: "one_of", value: ["GET"], negate: true }]);
  assert.equal(d.series.flatMap((s) => s.values).reduce((a: number, v) => a + (v ?? 0), 0), 7);
});

test("rates are divided by the seconds of a bucket, and gaps stay gaps", () => {
  const p: Panel = { ...base, metrics: [{ op: "sum", field: "b", label: "B", unit: "bytes/s", rate: true }], gaps: true };
  const d = data(p, { t: { buckets: [t(0, 1, { m0: { value: 500 } }), t(10_000, 0, { m0: { value: 0 } })] } }, 1, { from: 0, to: 20_000, step: 10_000 });
  assert.ok(d.kind === "time");
  assert.deepEqual(d.series[0]?.values, [50, null]);
});

test("percentiles are one series each, missing ones are no zeros", () => {
  const p: Panel = { ...base, chart: "percentiles", metrics: [{ op: "percentiles", field: "event.duration", label: "", percents: [50, 99] }] };
  const d = data(p, { t: { buckets: [t(0, 2, { m0: { values: { "50.0": 5, "99.0": 9 } } }), t(1000, 0, { m0: { values: { "50.0": null, "99.0": null } } })] } }, 2, frame);
  assert.ok(d.kind === "time");
  assert.deepEqual(d.series.map((s) => s.values), [[5, null], [9, null]]);
});

test("steps of a scale cover it without a hole, the last one open", () => {
  const s = { field: "event.duration", label: "", edges: [0, 10, 20], open: true };
  assert.deepEqual(steps(s), [{ from: 0, to: 10 }, { from: 10, to: 20 }, { from: 20 }]);
  const p: Panel = { ...base, chart: "columns", steps: s };
  delete p.time;
  const d = data(p, { r: { buckets: [{ doc_count: 0 }, { doc_count: 3 }, { doc_count: 0 }] } }, 3, frame);
  assert.ok(d.kind === "slices");
  assert.deepEqual(d.slices.map((x) => [x.value, x.pick]), [[3, [{ field: "event.duration", op: "range", value: { gte: 10, lt: 20 } }]]]);
});

test("a table has a row for each combination", () => {
  const p: Panel = { ...base, chart: "table", split: [{ field: "a", size: 5, label: "A" }, { field: "b", size: 5, label: "B" }] };
  delete p.time;
  const aggs = { s: { buckets: [{ key: "x", doc_count: 3, s: { buckets: [{ key: 1, doc_count: 2 }, { key: 2, doc_count: 1 }] } }] } };
  const d = data(p, aggs, 3, frame);
  assert.ok(d.kind === "table");
  assert.deepEqual(d.rows.map((r) => r.map((c) => c.text ?? c.value)), [["x", "1", 2], ["x", "2", 1]]);
});

test("booleans and dates are filtered for by their text", () => {
  const p: Panel = { ...base, chart: "donut", split: [{ field: "flow.final", size: 2, label: "Final" }] };
  delete p.time;
  const d = data(p, { s: { buckets: [{ key: 1, key_as_string: "true", doc_count: 2 }] } }, 2, frame);
  assert.ok(d.kind === "slices");
  assert.deepEqual(d.slices[0]?.pick, [{ field: "flow.final", op: "is", value: "true" }]);
});

test("a failed search is an error of its panel alone", () => {
  assert.deepEqual(read(base, { error: { reason: "no such thing" }, status: 400 }, frame), { total: 0, error: "no such thing" });
});

test("an answer without anything is empty, not a fault", () => {
  for (const chart of ["bars", "donut", "table", "number", "heatmap", "columns", "hbars", "percentiles"] as const) {
    const p: Panel = { ...base, chart, split: [{ field: "a", size: 3, label: "A" }], steps: { field: "d", label: "", edges: [0, 1] } };
    assert.equal(read(p, {}, frame).total, 0);
  }
});

test("the largest are chosen by what is shown", () => {
  const p: Panel = { ...base, chart: "table", split: [{ field: "a", size: 3, label: "A" }], metrics: [{ op: "percentiles", field: "d", label: "", percents: [50, 99] }] };
  delete p.time;
  assert.deepEqual((aggregations(p, frame)["s"] as { terms: { order: object } }).terms.order, { "m0.99": "desc" });
});

test("geohash cells are where they should be", () => {
  // ezs42 is the example of the scheme's description: 42.605, -5.603.
  const at = place("ezs42");
  assert.ok(at && Math.abs(at.lat - 42.605) < 0.01 && Math.abs(at.lon + 5.603) < 0.01);
  assert.equal(place("a"), undefined);
  assert.equal(place(""), undefined);
});

const status = (value: number, recent?: unknown) => ({ capture: { loss: [{ name: "kernel_drops", value, recent }] } });

test("a counter that rises between two looks shades the time between", () => {
  forget();
  observe(status(5), 1000);
  assert.deepEqual(losses.value, []);
  observe(status(5), 2000);
  assert.deepEqual(losses.value, []);
  observe(status(9), 3000);
  assert.deepEqual(losses.value, [{ from: 2000, to: 3000, lost: 4, name: "kernel_drops", label: "4 lost: kernel drops" }]);
  assert.equal(within(0, 2000).length, 0);
  assert.equal(within(2500, 2600).length, 1);
});

test("steps of loss that the status tells are taken, each once", () => {
  forget();
  const told = status(9, [{ t: "1970-01-01T00:01:00.000Z", n: 3 }]);
  observe(told, 100_000);
  observe(told, 200_000);
  assert.deepEqual(losses.value, [{ from: 50_000, to: 60_000, lost: 3, name: "kernel_drops", label: "3 lost: kernel drops" }]);
});

test("losses that follow each other are one", () => {
  forget();
  const at = (s: number) => new Date(s * 1000).toISOString();
  observe(status(9, [{ t: at(60), n: 3 }, { t: at(70), n: 4 }, { t: at(200), n: 1 }]), 300_000);
  assert.deepEqual(within(0, 300_000).map((l) => [l.from, l.to, l.lost]), [[50_000, 70_000, 7], [190_000, 200_000, 1]]);
});

test("what is no gap in the events does not shade", () => {
  forget();
  const of = (name: string, value: number) => ({ capture: { loss: [{ name, value }] } });
  for (const name of ["api.busy", "host.unreadable", "store.unknown_fields"]) {
    observe(of(name, 1), 1000);
    observe(of(name, 5), 2000);
  }
  assert.deepEqual(losses.value, []);
  observe(of("journal.lost_to_quota", 1), 3000);
  observe(of("journal.lost_to_quota", 2), 4000);
  assert.equal(losses.value.length, 1);
});
