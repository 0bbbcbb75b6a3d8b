import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, DEFAULTS, encode, type State } from "../../src/core/url";

const FULL: State = {
  index: "packetbeat-*,topbeat-*",
  time: { from: "2026-11-25T08:00:00.000Z", to: "now" },
  query: 'url.path: "/a b" and status: Error & more + 100%',
  language: "lucene",
  filters: [
    { field: "source.ip", op: "is", value: "10.0.0.1", negate: true, pinned: true },
    { field: "event.duration", op: "range", value: { gte: 1, lt: 2 }, disabled: true, label: "slow ones" },
    { field: "type", op: "one_of", value: ["http", "dns"] },
    { field: "status", op: "exists" },
  ],
  refresh: 5000,
  columns: ["@timestamp", "url.path", "http.request.headers.x-odd:name"],
  sort: { field: "event.duration", order: "asc" },
  breakdown: "",
  live: true,
  doc: "packetbeat-2026.11.25/01a2",
};

test("the whole state survives the address", () => {
  assert.deepEqual({ ...DEFAULTS, ...decode(`?${encode(FULL)}`) }, FULL);
  assert.deepEqual({ ...DEFAULTS, ...decode(`?${encode(DEFAULTS)}`) }, DEFAULTS);
});

test("an address of version 1 as it was first written is read", () => {
  const old = "?v=1&i=packetbeat-*&from=now-1h&to=now&q=status:+Error&f=%5B%7B%22field%22:%22type%22,%22op%22:%22is%22,%22value%22:%22http%22%7D%5D&c=@timestamp,url.path&s=event.duration:desc&r=10000";
  assert.deepEqual(decode(old), {
    index: "packetbeat-*",
    time: { from: "now-1h", to: "now" },
    query: "status: Error",
    filters: [{ field: "type", op: "is", value: "http" }],
    columns: ["@timestamp", "url.path"],
    sort: { field: "event.duration", order: "desc" },
    refresh: 10000,
  });
});

test("what an address says wrongly is left out", () => {
  const wrong = new URLSearchParams({
    v: "1",
    i: "../_cluster/settings",
    from: "now",
    f: '[{"field":1,"op":"is"},{"field":"a","op":"script"},"x",null,{"field":"ok","op":"exists","negate":"yes"}]',
    r: "1",
    s: "nothing",
  });
  assert.deepEqual(decode(`?${wrong.toString()}`), { filters: [{ field: "ok", op: "exists" }] });
  assert.deepEqual(decode("?v=1&f={not json"), {});
  assert.deepEqual(decode("?v=9&i=packetbeat-*"), {}, "a version that is not known");
  assert.deepEqual(decode(""), {});
});
