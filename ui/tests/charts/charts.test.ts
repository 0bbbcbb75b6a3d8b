import { kindColour } from "../../src/core/palette";
import assert from "node:assert/strict";
import { test } from "node:test";
import { colours } from "../../src/charts/colour";
import { inert } from "../../src/charts/inert";
import { nice } from "../../src/charts/nice";
import { segment, stacked } from "../../src/charts/stack";
import { isEmpty, twin } from "../../src/charts/twin";
import { formatTick, formatValue } from "../../src/charts/unit";
import type { Data } from "../../src/charts/types";

test("numbers carry their unit", () => {
  assert.equal(formatValue(10, "count"), "10");
  assert.equal(formatValue(1234567, "count"), "1,234,567");
  assert.equal(formatValue(1536, "bytes"), "1.5 KiB");
  assert.equal(formatValue(1023, "bytes"), "1,023 B");
  assert.equal(formatValue(2 ** 30, "bytes/s"), "1 GiB/s");
  assert.equal(formatValue(1_500_000, "ns"), "1.5 ms");
  assert.equal(formatValue(90e9, "ns"), "1.5 min");
  assert.equal(formatValue(0.123, "fraction"), "12.3 %");
  assert.equal(formatValue(null, "bytes"), "–");
  assert.equal(formatTick(25_000, "count"), "25k");
});

test("a stack's edges are sums, and a height finds its series", () => {
  const edges = stacked([[1, 2, null], [3, null, null]]);
  assert.deepEqual(edges, [[1, 2, null], [4, 2, null]]);
  assert.equal(segment(edges, 0, 0.5), 0);
  assert.equal(segment(edges, 0, 3), 1);
  assert.equal(segment(edges, 0, 5), -1);
});

test("hidden characters become visible and long texts are cut", () => {
  assert.equal(inert("a\u202eb\u0000\n"), "a\\u{202e}b\u2400\u240a");
  assert.equal(inert("<img src=x>"), "<img src=x>");
  assert.equal(inert("x".repeat(1000), 10), `${"x".repeat(10)}…`);
});

test("success and error have colours of their own, others do not repeat early", () => {
  const [ok, error, a, b, rest] = colours([{ label: "OK" }, { label: "Error" }, { label: "x" }, { label: "y" }, { label: "Others", rest: true }]);
  assert.equal(ok, "var(--series-ok)");
  assert.equal(error, "var(--series-error)");
  assert.equal(rest, "var(--series-rest)");
  assert.notEqual(a, b);
  assert.ok(!colours([{ label: "OK" }, ...Array.from({ length: 9 }, (_, i) => ({ label: `x${i}` }))]).includes("var(--series-2)"), "series 2 looks like success");
  // As in the table beside it, in whatever order.
  const kinds = ["dns", "other", "http", "flow"].map((label) => ({ label }));
  const tints = colours(kinds);
  assert.deepEqual([tints[0], tints[2], tints[3]], ["dns", "http", "flow"].map(kindColour));
  assert.equal(new Set(tints).size, 4, "each another");
  const codes = colours([{ label: "404" }, { label: "401" }]);
  assert.notEqual(codes[0], codes[1]);
  // A code is the same in two panels with other codes, in another order.
  const over = ["200", "400", "206", "304", "404", "405"];
  const errors = ["304", "405", "404", "400", "301"];
  const of = (list: string[]) => new Map(colours(list.map((label) => ({ label }))).map((colour, i) => [list[i], colour]));
  for (const code of errors.filter((c) => over.includes(c))) assert.equal(of(over).get(code), of(errors).get(code), code);
});

test("axes end at round numbers", () => {
  assert.equal(nice(0.7), 0.8);
  assert.equal(nice(1), 1);
  assert.equal(nice(4642), 5000);
  assert.equal(nice(104_999), 200_000);
});

const all: Data[] = [
  { kind: "time", at: [0], step: 1, series: [{ label: "a", unit: "count", values: [3] }] },
  { kind: "slices", name: "A", unit: "count", slices: [{ label: "x", value: 3, parts: [{ label: "p", value: 3 }] }] },
  { kind: "grid", at: [0], step: 1, rows: [{ label: "r" }], cells: [[3]], unit: "count" },
  { kind: "table", columns: [{ label: "A" }], rows: [[{ value: 3 }]] },
  { kind: "figures", figures: [{ label: "f", value: 3, unit: "count" }] },
  { kind: "places", places: [{ lat: 1, lon: 2, value: 3, label: "here" }] },
];

test("each kind of chart has a table with the same numbers", () => {
  for (const data of all) {
    assert.equal(isEmpty(data), false, data.kind);
    const table = twin(data, () => "now");
    assert.ok(table.rows.some((r) => r.some((c) => c.value === 3)), data.kind);
    for (const row of table.rows) assert.equal(row.length, table.columns.length, data.kind);
  }
});
