// A browser with Discover in it, over a running wirebeat.
import type { Page } from "playwright-core";
import { drawn, open as openUrl, type Opened, type Options } from "../browser";

/** The page's address: WIREBEAT_UI, or its part full=URL. */
export const BASE = (process.env["WIREBEAT_UI"] ?? "")
  .split(",")
  .map((p) => /^(?:full=)?(https?:.+)$/.exec(p)?.[1]?.replace(/\/$/, ""))
  .find((p) => p !== undefined);
export const SKIP = BASE === undefined ? "set WIREBEAT_UI to the address of a page over a store with events" : false;


export { launch, quit, serious, seriousInBoth } from "../browser";

/** A page of the store. */
export async function open(path: string, options: Options = {}): Promise<Opened> {
  return openUrl((BASE ?? "") + path, options);
}

/** Waits until the number of events is there and nothing is on its way. What was done just before is under way two frames later. */
export async function settled(page: Page): Promise<void> {
  await drawn(page);
  await page.waitForTimeout(100);
  await page.waitForSelector('.results[aria-busy="false"] #hits:not([data-total=""])');
  await drawn(page);
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
