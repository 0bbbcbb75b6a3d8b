// A day of events behind Discover while the wire is watched: what one waits for after an action.
//
// Each time the page asks for bars and rows, the counts of 20 fields are asked for beside it, over the same query: what
// the page asks when a field of the list is opened, of all 20 in one search. No question comes twice: "now" goes on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { launch, open, quit } from "../browser";
import { sleep, URL_OF_PAGES } from "./scene";

const EVENTS = Number(process.env["WB_EVENTS"]);
const TIMES = Number(process.env["WB_TIMES"] ?? "1");
const JUDGE = process.env["WB_JUDGE"] === "1";
/** Milliseconds that 95 of 100 may take: without and with a filter. */
const BOUNDS = { unfiltered: 1_500, filtered: 800 };

const ALL_FILTERS = [
  "status: Error",
  "type: http and http.response.status_code >= 400",
  "dns.question.name: *.test",
  "type: redis and method: SET",
  "destination.bytes > 10000",
];
const FILTERS = JUDGE ? ALL_FILTERS : ALL_FILTERS.slice(0, 2);
const FIELDS = [
  "type", "status", "source.ip", "destination.ip", "destination.port", "network.transport", "network.protocol", "http.request.method", "http.response.status_code", "url.path",
  "url.domain", "dns.question.name", "dns.response_code", "method", "event.duration", "network.bytes", "source.port", "query", "http.response.body.bytes", "dns.question.type",
];

type Body = { query: { bool: { filter: [{ range: { "@timestamp": { gte: string; lte: string } } }, ...object[]] } }; aggs: Record<string, object>; size: number; sort?: object; _source?: object };
type Answer = { hits: { total: { value: number } }; aggregations: Record<string, { doc_count?: number; buckets?: unknown[] }> };

/** One action: milliseconds from the key, and what was found. */
interface Seen {
  drawn: number;
  answered: number;
  counted: number;
  total: number;
  counts: Answer | null;
}

interface Probe {
  aggs: Record<string, object> | null;
  body: Body | null;
  tell: ((seen: Seen) => void) | null;
}

/** In the page: watches it ask and draw. */
function watch(): void {
  const probe: Probe = { aggs: null, body: null, tell: null };
  (window as unknown as { probe: Probe }).probe = probe;
  let pressed = 0;
  addEventListener("keydown", (e) => (pressed = e.timeStamp), true);
  const frames = () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
  /** Until the list is no longer busy, and what came was drawn. */
  const idle = async () => {
    const free = () => document.querySelector('.results[aria-busy="false"]') !== null;
    if (!free()) {
      await new Promise<void>((done) => {
        const observer = new MutationObserver(() => {
          if (!free()) return;
          observer.disconnect();
          done();
        });
        observer.observe(document, { subtree: true, attributes: true, attributeFilter: ["aria-busy"], childList: true });
      });
    }
    await frames();
    return performance.now();
  };
  const ask = window.fetch.bind(window);
  window.fetch = async (where, init) => {
    const body = typeof init?.body === "string" && String(where).includes("/_search") ? (JSON.parse(init.body) as Body) : null;
    const tell = probe.tell;
    if (!body?.aggs?.["kinds"]) return ask(where, init);
    probe.body = body;
    if (!tell) return ask(where, init);
    probe.tell = null;
    const began = pressed;
    const counting = probe.aggs
      ? ask(where, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ size: 0, track_total_hits: true, query: body.query, aggs: probe.aggs }) }).then(async (r) => ({ answer: (await r.json()) as Answer, at: performance.now() }))
      : Promise.resolve({ answer: null, at: began });
    const response = await ask(where, init);
    const answered = performance.now();
    void Promise.all([idle(), counting]).then(([drawn, counts]) =>
      tell({
        drawn: drawn - began,
        answered: answered - began,
        counted: counts.at - began,
        total: Number(document.getElementById("hits")?.dataset["total"]),
        counts: counts.answer,
      }),
    );
    return response;
  };
}

/** The value that so many of 100 do not exceed. */
function percentile(values: number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * of) / 100) - 1)] ?? NaN;
}

function tell(name: string, values: number[]): void {
  const cells = [percentile(values, 50), percentile(values, 95), Math.max(...values)].map((v) => v.toFixed(0).padStart(7));
  console.log(`${name.padEnd(56)}${cells.join("")}`);
}

/** What wirebeat has in memory. */
function memory(): string {
  const status = readFileSync(`/proc/${process.env["WB_PID"] ?? "self"}/status`, "utf8");
  const of = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024).toFixed(0);
  return `wirebeat has ${of("VmRSS")} MiB resident, ${of("RssAnon")} of them its own; ${of("VmHWM")} at most so far`;
}

await launch();
console.log(memory());
const began = Date.now();
const { page, errors, close } = await open(`${URL_OF_PAGES}/discover?v=1&i=packetbeat-*&from=now-24h&to=now`, { before: async (p) => void (await p.addInitScript(watch)) });
await page.waitForSelector('.results[aria-busy="false"] #hits:not([data-total=""])');
await page.locator(".grid-body .row").first().waitFor();
console.log(`${EVENTS.toLocaleString("en-US")} events; milliseconds: the middle, 95 of 100, the longest`);
tell("the page, opened first", [Date.now() - began]);

let under = 0;
page.on("request", () => void under++);
page.on("requestfinished", () => void under--);
page.on("requestfailed", () => void under--);
/** Waits until the page has asked all it wants to and got it. */
async function quiet(): Promise<void> {
  for (let still = 0; still < 3; still = under > 0 ? 0 : still + 1) await sleep(100);
}

/** Opens a field of the list: what the page asks, and how long it takes. */
async function expand(field: string): Promise<{ aggs: Record<string, object>; ms: number }> {
  const line = page.locator(`.field-name[title^="${field} ("]`);
  await line.scrollIntoViewIfNeeded();
  const asked = page.waitForRequest((r) => r.url().includes("/_search") && (r.postData() ?? "").includes('"have"'));
  const from = Date.now();
  await line.click();
  const body = (await asked).postDataJSON() as Body;
  await page.locator(".field.open .top-note").first().waitFor();
  const ms = Date.now() - from;
  await line.click();
  return { aggs: body.aggs, ms };
}

const aggs: Record<string, object> = {};
const opened: number[] = [];
for (const field of FIELDS) {
  const one = await expand(field);
  assert.ok("values" in one.aggs, field);
  for (const [name, agg] of Object.entries(one.aggs)) aggs[`${name} ${field}`] = agg;
  opened.push(one.ms);
}
await page.evaluate((given) => ((window as unknown as { probe: Probe }).probe.aggs = given), aggs);

/** Presses a key; answers when everything is there. */
async function press(key: string): Promise<Seen> {
  const seen = page.evaluate(() => new Promise<Seen>((done) => ((window as unknown as { probe: Probe }).probe.tell = done)));
  await page.keyboard.press(key);
  const s = await seen;
  assert.ok(s.total > 0, "no event");
  assert.ok((await page.locator(".grid-body .row").count()) > 0, "no row");
  // Asked a moment apart; what the wire brings in between may be counted once.
  const counted = s.counts?.hits.total.value ?? NaN;
  assert.ok(Math.abs(counted - s.total) <= 5_000, `${counted} counted beside ${s.total}`);
  assert.ok(FIELDS.every((f) => s.counts?.aggregations[`values ${f}`]?.buckets !== undefined), JSON.stringify(s.counts).slice(0, 300));
  assert.ok((s.counts?.aggregations["values type"]?.buckets?.length ?? 0) > 0, "no type is counted");
  return s;
}

interface Case {
  name: string;
  seen: Seen[];
  parts: Record<string, number[]>;
}

/** What the page last asked, in parts, each on its own and each time until another end. */
async function alone(body: Body, times: number, only?: Record<string, object>): Promise<Record<string, number[]>> {
  const { aggs: bars, sort, _source, query } = body;
  const [range, ...rest] = query.bool.filter;
  const parts: Record<string, object> = only ?? {
    "bars and total": { size: 0, track_total_hits: true, aggs: bars },
    "rows": { size: 100, track_total_hits: false, sort, _source },
    "counts of 20 fields": { size: 0, track_total_hits: true, aggs },
  };
  const out: Record<string, number[]> = {};
  for (let i = 0; i < times; i++) {
    for (const [name, part] of Object.entries(parts)) {
      const until = { range: { "@timestamp": { ...range.range["@timestamp"], lte: new Date().toISOString() } } };
      (out[name] ??= []).push(await post({ ...part, query: { bool: { filter: [until, ...rest] } } }));
    }
  }
  return out;
}

async function post(body: object): Promise<number> {
  const from = performance.now();
  const response = await fetch(`${URL_OF_PAGES}/es/packetbeat-*/_search`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  await response.arrayBuffer();
  assert.equal(response.status, 200);
  return performance.now() - from;
}

/** The page's last question. */
async function asked(): Promise<Body> {
  const body = await page.evaluate(() => (window as unknown as { probe: Probe }).probe.body);
  assert.ok(body);
  return body;
}

const unfiltered: Case = { name: "everything", seen: [], parts: {} };
await page.locator("#grid").focus();
for (let i = 0; i < TIMES; i++) {
  unfiltered.seen.push(await press("r"));
  await sleep(200);
}
assert.ok(unfiltered.seen.every((s) => s.total >= EVENTS), `${unfiltered.seen[0]?.total ?? 0} of ${EVENTS} events`);
const body = await asked();
unfiltered.parts = await alone(body, TIMES);
/** Each field's counts on their own. */
const single: Record<string, number[]> = {};
for (const field of JUDGE ? FIELDS : []) {
  const its = Object.fromEntries(Object.entries(aggs).filter(([name]) => name.endsWith(` ${field}`)));
  for (let i = 0; i < 5; i++) (single[field] ??= []).push(...((await alone(body, 1, { [field]: { size: 0, track_total_hits: true, aggs: its } }))[field] ?? []));
}

const filtered: Case[] = FILTERS.map((name) => ({ name, seen: [], parts: {} }));
for (let i = 0; i < TIMES; i++) {
  // The page's "now" stands still until it is refreshed, and each round is to ask for another range.
  await page.locator("#grid").focus();
  await press("r");
  for (const one of filtered) {
    await page.locator("#query").fill(one.name);
    // What completes the query is asked too, and is there before one is through typing.
    await quiet();
    const s = await press("Enter");
    if (i === 0) one.parts = await alone(await asked(), TIMES);
    one.seen.push(s);
  }
}
const arrived = await fetch(`${URL_OF_PAGES}/es/packetbeat-*/_count`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: { range: { "@timestamp": { gte: new Date(began).toISOString() } } } }) });
const live = ((await arrived.json()) as { count: number }).count;
assert.ok(live > 0, "nothing came in meanwhile");

const all = (seen: Seen[]) => seen.map((s) => Math.max(s.drawn, s.counted));
tell("a field, opened in the list, with all events", opened);
for (const one of [unfiltered, ...filtered]) {
  console.log(`${one.name} (${(one.seen.at(-1)?.total ?? 0).toLocaleString("en-US")} events)`);
  tell("  from the key until all of it is there", all(one.seen));
  tell("    bars and rows answered", one.seen.map((s) => s.answered));
  tell("    bars and rows drawn", one.seen.map((s) => s.drawn));
  tell("    20 fields counted", one.seen.map((s) => s.counted));
  for (const [name, ms] of Object.entries(one.parts)) tell(`  alone: ${name}`, ms);
}
const verdicts = { unfiltered: all(unfiltered.seen), filtered: all(filtered.flatMap((f) => f.seen)) };
for (const [name, values] of Object.entries(verdicts)) tell(`${name}, within ${BOUNDS[name as keyof typeof BOUNDS]} ms`, values);
console.log(`${(live / ((Date.now() - began) / 1000)).toFixed(0)} events a second came in; ${memory()}`);
if (JUDGE) {
  console.log("each field's counts alone, with all events");
  for (const [name, ms] of Object.entries(single)) tell(`  ${name}`, ms);
  console.log(`bars and rows: ${JSON.stringify(body)}`);
  console.log(`counts: ${JSON.stringify(aggs)}`);
}
assert.deepEqual(errors, []);
await close();
await quit();
if (JUDGE) for (const [name, values] of Object.entries(verdicts)) assert.ok(percentile(values, 95) < BOUNDS[name as keyof typeof BOUNDS], `${name}: ${percentile(values, 95).toFixed(0)} ms`);
