// Every field that a dashboard names exists, with a type that can do what the panel asks of it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { Filter } from "../../src/core/filter";
import { mistakes } from "../../src/dashboards/check";
import { DASHBOARDS } from "../../src/dashboards/load";
import { isTerms, type Dashboard, type Panel } from "../../src/dashboards/types";
import { binary } from "../server";

/** Fields that come with data from elsewhere, and what they must be when they exist. */
const OPTIONAL: Record<string, string> = { "client.geo.location": "geo_point" };

const NUMBERS = ["long", "double", "float", "integer", "short", "byte", "scaled_float", "unsigned_long"];
const LISTED = [...NUMBERS, "keyword", "ip", "boolean", "date"];

function declared(path: string): Map<string, string> {
  const text = execFileSync(path, ["fields", "--format", "json"], { encoding: "utf8", maxBuffer: 64 << 20 });
  const list = JSON.parse(text) as { name: string; type: string }[];
  return new Map(list.map((f) => [f.name, f.type]));
}

/** What is wrong with a panel's fields. */
function faults(d: Dashboard, p: Panel, types: Map<string, string>): string[] {
  const out: string[] = [];
  const need = (field: string, allowed: string[] | undefined, why: string) => {
    const type = types.get(field);
    if (type === undefined) {
      if (!(field in OPTIONAL) || p.optional?.field !== field) out.push(`${d.id}/${p.id}: ${why} ${field} does not exist`);
    } else if (allowed && !allowed.includes(type)) out.push(`${d.id}/${p.id}: ${why} ${field} is ${type}`);
  };
  const filter = (f: Filter) => need(f.field, f.op === "range" ? [...NUMBERS, "date"] : undefined, "filter of");
  for (const f of [...d.where, ...(p.where ?? [])]) filter(f);
  for (const m of p.metrics) {
    for (const f of m.where ?? []) filter(f);
    if (m.field !== undefined) need(m.field, m.op === "cardinality" ? LISTED : NUMBERS, m.op);
  }
  for (const s of p.split ?? []) {
    if (isTerms(s)) need(s.field, LISTED, "values of");
    else for (const part of s.parts) for (const f of part.where) filter(f);
  }
  if (p.steps) need(p.steps.field, NUMBERS, "steps of");
  if (p.optional) need(p.optional.field, [OPTIONAL[p.optional.field] ?? ""], "places of");
  return out;
}

test("the declarations are complete and each id is used once", () => {
  assert.deepEqual(DASHBOARDS.flatMap(mistakes), []);
  assert.equal(new Set(DASHBOARDS.map((d) => d.id)).size, DASHBOARDS.length);
});

test("a mistake in a declaration is found", () => {
  const good = DASHBOARDS.find((d) => d.id === "http");
  assert.ok(good);
  const panel = good.panels[0];
  assert.ok(panel);
  const broken: Dashboard = { ...good, panels: [{ ...panel, id: "a", chart: "bars" }, { ...panel, id: "b", metrics: [] }] };
  assert.deepEqual(mistakes(broken), ["http/a: time", "http/b: no metric"]);
});

test("a field that is missing or of a wrong type is found", () => {
  const d = DASHBOARDS.find((x) => x.id === "http");
  const p = d?.panels.find((x) => x.id === "typical");
  assert.ok(d && p);
  assert.deepEqual(faults(d, p, new Map([["type", "keyword"]])), [
    "http/typical: median event.duration does not exist",
    "http/typical: percentiles event.duration does not exist",
  ]);
  assert.equal(faults(d, p, new Map([["type", "keyword"], ["event.duration", "keyword"]])).length, 2);
});

const path = binary();
test("each field exists with the right type", { skip: path === undefined ? "no wirebeat binary: build it or set WIREBEAT" : false }, () => {
  const types = declared(path ?? "");
  assert.ok(types.size > 100);
  assert.deepEqual(DASHBOARDS.flatMap((d) => d.panels.flatMap((p) => faults(d, p, types))), []);
  const columns = DASHBOARDS.flatMap((d) => (d.columns ?? []).filter((c) => !types.has(c)).map((c) => `${d.id}: column ${c}`));
  assert.deepEqual(columns, []);
});

/** Panels that users of Packetbeat and Topbeat know, by dashboard. */
const KNOWN: Record<string, string[]> = {
  overview: ["Web transactions", "Database transactions", "Cache transactions", "RPC transactions", "HTTP transactions", "Transaction types", "Response times percentiles", "Errors count over time", "Errors vs successful transactions", "Latency histogram", "Client locations", "Response times repartition", "DNS transactions", "Top hosts creating traffic"],
  http: ["HTTP transactions", "HTTP error codes", "HTTP error codes evolution", "Total number of HTTP transactions", "HTTP status codes for the top queries", "Top 10 HTTP requests", "Errors by path", "Latency by host"],
  dns: ["Query summary", "Request status over time", "Question types", "Top questions", "Response codes", "Min, average and max response time", "Clients and servers"],
  "dns-tunnelling": ["Unique FQDNs per eTLD+1", "Bytes transferred per domain", "Top domains by data volume"],
  flows: ["Connections over time", "Top hosts creating traffic", "Top hosts receiving traffic", "Network traffic between hosts"],
  system: ["System load", "Process status", "Memory usage", "CPU usage", "Servers", "Disk utilization over time"],
  processes: ["CPU usage per process", "Memory usage per process", "Top processes"],
  icmp: [],
  redis: [],
};

test("the panels that users know are there", () => {
  for (const [id, titles] of Object.entries(KNOWN)) {
    const d = DASHBOARDS.find((x) => x.id === id);
    assert.ok(d, id);
    const have = new Set(d.panels.map((p) => p.title));
    assert.deepEqual(titles.filter((t) => !have.has(t)), [], id);
  }
});
