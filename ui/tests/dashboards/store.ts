// A running store for the tests that ask one.

/** Base address of an Elasticsearch-compatible API: WIREBEAT_API, or the page's own under /es. */
export function api(): string | undefined {
  const direct = process.env["WIREBEAT_API"];
  if (direct) return direct.replace(/\/$/, "");
  const page = pages().get("full");
  return page === undefined ? undefined : `${page}/es`;
}

/** Pages by the store behind them: WIREBEAT_UI is one address (a full store), or empty=URL,demo=URL,full=URL. */
export function pages(): Map<string, string> {
  const out = new Map<string, string>();
  for (const part of (process.env["WIREBEAT_UI"] ?? "").split(",").filter(Boolean)) {
    const named = /^(empty|demo|full)=(.+)$/.exec(part);
    out.set(named?.[1] ?? "full", (named?.[2] ?? part).replace(/\/$/, ""));
  }
  return out;
}

export interface Answer {
  hits?: { total?: { value?: number } };
  aggregations?: { [name: string]: { value?: number | null } };
  error?: unknown;
}

export async function ask(base: string, path: string, body: unknown): Promise<Answer> {
  const ndjson = Array.isArray(body);
  const text = ndjson ? body.map((line) => `${JSON.stringify(line)}\n`).join("") : JSON.stringify(body);
  const response = await fetch(`${base}${path}`, {
    method: "POST",
    headers: { "content-type": ndjson ? "application/x-ndjson" : "application/json" },
    body: text,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  return (await response.json()) as Answer;
}

/** The time from the first to the last event of a pattern, in ms, the end exclusive. */
export async function span(base: string, index: string): Promise<{ from: number; to: number } | undefined> {
  const aggs = { from: { min: { field: "@timestamp" } }, to: { max: { field: "@timestamp" } } };
  const found = await ask(base, `/${index}/_search`, { size: 0, aggs });
  const from = found.aggregations?.["from"]?.value;
  const to = found.aggregations?.["to"]?.value;
  return from === null || from === undefined || to === null || to === undefined ? undefined : { from: Math.floor(from), to: Math.ceil(to) + 1 };
}

/** So old are events that no more come beside them, ms: the full store is measured into meanwhile, each second. */
export const SETTLED = 15_000;
