// The number at a panel is what Discover counts for its link, and charts of counts add up to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Data } from "../../src/charts/types";
import { clause } from "../../src/core/filter";
import { frameOf } from "../../src/dashboards/frame";
import { items, read } from "../../src/dashboards/answers";
import { DASHBOARDS } from "../../src/dashboards/load";
import { behind, indexOf } from "../../src/dashboards/request";
import type { Panel } from "../../src/dashboards/types";
import { api, ask, SETTLED, span } from "./store";

const base = api();
const skip = base === undefined ? "no store: set WIREBEAT_API or WIREBEAT_UI" : false;

function sum(data: Data): number | undefined {
  const add = (list: (number | null)[]) => list.reduce((a: number, v) => a + (v ?? 0), 0);
  switch (data.kind) {
    case "time":
      return add(data.series.flatMap((s) => s.values));
    case "slices":
      return add(data.slices.map((s) => s.value));
    case "grid":
      return add(data.cells.flat());
    case "figures":
      return data.figures.length === 1 ? (data.figures[0]?.value ?? 0) : undefined;
    default:
      return undefined;
  }
}

/** Whether a panel counts events and nothing else. */
function counts(p: Panel): boolean {
  return p.metrics.length === 1 && p.metrics[0]?.op === "count" && !p.metrics[0].where && p.chart !== "table";
}

for (const d of DASHBOARDS) {
  test(`${d.id}: panels and their events agree`, { skip }, async () => {
    const at = base ?? "";
    const times = await span(at, d.index);
    if (!times) return;
    // The newest seconds still grow; what is older stays.
    const to = Math.min(times.to, Date.now() - SETTLED);
    const frame = frameOf(times.from, Math.max(times.from + 1, to));
    const inside = { range: { "@timestamp": { gte: new Date(frame.from).toISOString(), lt: new Date(frame.to).toISOString() } } };
    const query = (extra: object[]) => ({ bool: { filter: [inside, ...extra] } });
    const asked = items(d, frame, query, () => false);
    const lines = asked.items.flatMap((i) => [{ index: i.index }, i.body]);
    const answer = (await ask(at, "/_msearch", lines)) as { responses?: unknown[] };
    assert.equal(answer.responses?.length, asked.panels.length);
    for (const [i, p] of asked.panels.entries()) {
      const got = read(p, answer.responses?.[i], frame);
      assert.equal(got.error, undefined, `${d.id}/${p.id}`);
      const discover = { size: 0, track_total_hits: true, query: query(behind(d, p).map((f) => clause(f))) };
      const listed = await ask(at, `/${indexOf(d, p)}/_search`, discover);
      assert.equal(listed.hits?.total?.value, got.total, `${d.id}/${p.id}`);
      const drawn = got.data && counts(p) ? sum(got.data) : undefined;
      if (drawn !== undefined) assert.equal(drawn, got.total, `${d.id}/${p.id}: what is drawn`);
    }
  });
}
