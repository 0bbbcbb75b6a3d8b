import { useEffect, useState } from "preact/hooks";
import { search } from "../core/es";
import { link } from "../core/state";
import { number, object } from "./answer";
import { clause } from "../core/filter";
import { pageActions } from "./actions";
import type { Times } from "../charts/twin";
import type { Dashboard } from "./types";

/** When nothing matches: what to do next, and the way to the events that there are. */
export function NoEvents({ dashboard, times }: { dashboard: Dashboard; times: Times }) {
  const [span, setSpan] = useState<{ from: number; to: number } | null | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    const aggs = { from: { min: { field: "@timestamp" } }, to: { max: { field: "@timestamp" } } };
    search(dashboard.index, { size: 0, query: { bool: { filter: dashboard.where.map((f) => clause(f)) } }, aggs }, abort.signal).then(
      (r) => {
        const found = object(object(r)["aggregations"]);
        const from = number(object(found["from"])["value"]);
        const to = number(object(found["to"])["value"]);
        if (!abort.signal.aborted) setSpan(from !== null && to !== null ? { from, to } : null);
      },
      () => setSpan(null),
    );
    return () => abort.abort();
  }, [dashboard.id]);
  return (
    <section class="dash-empty" aria-label="No events" aria-busy={span === undefined}>
      <h2>No events in this time range</h2>
      <p>{dashboard.empty}</p>
      <p class="dash-empty-actions">
        {span ? (
          <button type="button" class="primary" onClick={() => pageActions.range(Math.max(span.from, span.to - 3_600_000), span.to + 1)}>
            Go to the newest events, {times.full(span.to, 60_000)}
          </button>
        ) : null}
        <a class="tool" href={link("capture")}>
          What is captured
        </a>
      </p>
    </section>
  );
}
