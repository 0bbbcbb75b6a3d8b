// A browser with Discover in it, over a running wirebeat.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** The page's address: WIREBEAT_UI, or its part full=URL. */
export const BASE = (process.env["WIREBEAT_UI"] ?? "")
  .split(",")
  .map((p) => /^(?:full=)?(https?:.+)$/.exec(p)?.[1]?.replace(/\/$/, ""))
  .find((p) => p !== undefined);
export const SKIP = BASE === undefined ? "set WIREBEAT_UI to the address of a page over a store with events" : false;

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PATIENCE = 90_000;
let browser: Browser | undefined;

export async function launch(): Promise<void> {
  if (BASE !== undefined) browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

export async function quit(): Promise<void> {
  await browser?.close();
}

export interface Opened {
  page: Page;
  /** Errors of scripts and of the content security policy. */
  errors: string[];
  /** Addresses of other hosts that were asked. */
  strangers: string[];
}

export async function open(path: string, options: BrowserContextOptions & { before?: (page: Page) => Promise<void> } = {}): Promise<Opened> {
  if (!browser || BASE === undefined) throw new Error("no browser");
  const { before, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...rest });
  // A machine that is busy with a build takes its time.
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors: string[] = [];
  const strangers: string[] = [];
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => {
    if (m.type() === "error" && /Content Security Policy|Refused|Uncaught/.test(m.text())) errors.push(m.text());
  });
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.protocol.startsWith("http") && url.origin !== new URL(BASE).origin) strangers.push(r.url());
  });
  if (before) await before(page);
  await page.goto(BASE + path);
  return { page, errors, strangers };
}

/** Waits until the number of events is there and nothing is on its way. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.results[aria-busy="false"] #hits:not([data-total=""])');
  await page.waitForTimeout(60);
}

export async function hits(page: Page): Promise<number> {
  await settled(page);
  return Number(await page.locator("#hits").getAttribute("data-total"));
}

export async function ask(index: string, body: object): Promise<{ hits: { total: { value: number } }; aggregations: Record<string, { value: number | null; buckets: { key: string; doc_count: number }[] }> }> {
  const response = await fetch(`${BASE ?? ""}/es/${index}/_search`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ track_total_hits: true, size: 0, ...body }) });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as never;
}

export interface Range {
  from: string;
  to: string;
  count: number;
}

const MOST = 10_000;

/** The hour with the most HTTP events, up to as many as are soon exported; it does not move while the tests run. */
export async function busiest(): Promise<Range> {
  const before = new Date(Date.now() - 10 * 60_000).toISOString();
  const days = await ask("packetbeat-*", { query: { bool: { filter: [{ range: { "@timestamp": { lt: before } } }, { term: { type: "http" } }] } }, aggs: { d: { date_histogram: { field: "@timestamp", fixed_interval: "1h", min_doc_count: 1 } } } });
  const buckets = days.aggregations["d"]?.buckets ?? [];
  const best = buckets.reduce((a, b) => (b.doc_count > a.doc_count && b.doc_count <= MOST ? b : a), { key: "0", doc_count: -1 });
  const from = new Date(Number(best.key)).toISOString();
  const to = new Date(Math.min(Number(best.key) + 3_600_000, Date.now() - 10 * 60_000)).toISOString();
  const all = await ask("packetbeat-*", { query: range(from, to) });
  return { from, to, count: all.hits.total.value };
}

export function range(from: string, to: string, ...filter: object[]): object {
  return { bool: { filter: [{ range: { "@timestamp": { gte: from, lte: to } } }, ...filter] } };
}

export function address(r: Range, more: Record<string, string> = {}): string {
  return `/discover?${new URLSearchParams({ v: "1", i: "packetbeat-*", from: r.from, to: r.to, ...more }).toString()}`;
}

/** What axe finds that is serious or critical. */
export async function serious(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axe, "utf8"));
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe;
    return (await run.run()).violations;
  });
  return found.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).slice(0, 3).join(" | ")}`);
}
