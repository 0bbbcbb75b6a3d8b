import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultColumns, summary, valueAt } from "../../src/discover/columns";
import { flatten } from "../../src/discover/flat";
import { words } from "../../src/discover/texts";

const SOURCE = {
  type: "dns",
  "a.b": 1,
  "x": { "y.z": 2, __proto__: null },
  dns: { answers: [{ data: "1.2.3.4", type: "A" }, { data: "::1" }], question: { name: "example.com", type: "A" }, response_code: "NOERROR", type: "answer" },
};

test("a value is found wherever the dots are", () => {
  assert.equal(valueAt(SOURCE, "a.b"), 1);
  assert.equal(valueAt(SOURCE, "x.y.z"), 2);
  assert.deepEqual(valueAt(SOURCE, "dns.answers.data"), ["1.2.3.4", "::1"]);
  assert.equal(valueAt(SOURCE, "dns.nothing"), undefined);
  assert.equal(valueAt(SOURCE, "constructor"), undefined, "names of objects' own are no fields");
});

test("an event as a list of fields", () => {
  const flat = Object.fromEntries(flatten(SOURCE).map((e) => [e.field, e.values]));
  assert.deepEqual(flat["dns.answers.data"], ["1.2.3.4", "::1"]);
  assert.deepEqual(flat["dns.answers.type"], ["A"]);
  assert.deepEqual(flat["x.y.z"], [2]);
  let deep: unknown = "end";
  for (let i = 0; i < 5000; i++) deep = { a: deep };
  assert.equal(flatten(deep).length, 1);
});

test("columns suit the events", () => {
  assert.ok(defaultColumns(["http"], false).includes("http.response.status_code"));
  assert.ok(defaultColumns(["dns"], false).includes("dns.question.name"));
  assert.ok(defaultColumns(["http", "dns"], false).includes("type"));
  assert.equal(defaultColumns(["http"], true).length, 2);
});

test("an event in one line", () => {
  const row = (source: Record<string, unknown>) => summary({ id: "1", index: "i", source, sort: [] });
  assert.equal(row(SOURCE), "A example.com → NOERROR");
  assert.equal(row({ type: "dns", dns: { ...SOURCE.dns, type: "query" } }), "A example.com → no answer");
  assert.equal(row({ type: "http", query: "GET /", http: { response: { status_code: 200 } } }), "GET / → 200");
  assert.equal(row({ type: "flow", source: { ip: "::1", port: 5 }, destination: { ip: "10.0.0.1" }, network: { transport: "tcp" } }), "tcp [::1]:5 → 10.0.0.1");
  assert.ok(!row({ type: "x", query: "a\u202eb\u0000" }).includes("\u202e"), "direction marks are shown, not obeyed");
});

test("a Redis line in words", () => {
  assert.deepEqual(words('SET key "a b \\" c" EX 10'), ["SET", "key", '"a b \\" c"', "EX", "10"]);
  assert.deepEqual(words(""), []);
});
