import { useEffect, useState } from "preact/hooks";
import { formatValue } from "../charts/unit";
import { msearch } from "../core/es";
import { esQuery, filters, link, query, tick, time } from "../core/state";
import { number, object } from "./answer";
import { clause } from "../core/filter";
import { DASHBOARDS } from "./load";
import type { Dashboard } from "./types";
import "./dashboards.css";
import "../charts/charts.css";

function matches(d: Dashboard, words: string): boolean {
  const text = [d.title, d.about, ...d.tags, ...d.panels.map((p) => p.title)].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}

/** How many events of the page's time each dashboard is about. */
function useCounts(): Map<string, number> {
  const [counts, setCounts] = useState(new Map<string, number>());
  useEffect(() => {
    const abort = new AbortController();
    const items = DASHBOARDS.map((d) => ({
      index: d.index,
      body: { size: 0, track_total_hits: true, query: esQuery(d.where.map((f) => clause(f))) },
    }));
    msearch(items, abort.signal).then(
      (responses) => {
        if (abort.signal.aborted) return;
        const found = new Map<string, number>();
        DASHBOARDS.forEach((d, i) => {
          const n = number(object(object(object(responses[i])["hits"])["total"])["value"]);
          if (n !== null) found.set(d.id, n);
        });
        setCounts(found);
      },
      () => undefined,
    );
    return () => abort.abort();
  }, [tick.value, time.value, query.value, filters.value]);
  return counts;
}

/** Every dashboard, with a search over titles, texts and panels. */
export function DashboardsPage() {
  const [words, setWords] = useState("");
  const counts = useCounts();
  const shown = DASHBOARDS.filter((d) => matches(d, words.trim()));
  return (
    <main class="page dash dash-list" id="main">
      <header class="dash-head">
        <h1>Dashboards</h1>
        <label class="dash-search">
          <span class="unseen">Search dashboards and panels</span>
          <input type="search" placeholder="Search dashboards and panels" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
        </label>
      </header>
      {shown.length ? (
        <ul class="cards">
          {shown.map((d) => {
            const n = counts.get(d.id);
            return (
              <li key={d.id} class="card">
                <h2>
                  <a href={link(`dashboards/${d.id}`)}>{d.title}</a>
                </h2>
                <p>{d.about}</p>
                <p class="card-foot">
                  <span class={n ? "card-count" : "card-count none"}>{n === undefined ? "" : n === 0 ? "No events in this time range" : `${formatValue(n, "count")} ${n === 1 ? "event" : "events"}`}</span>
                  <span class="card-panels">{d.panels.length} panels</span>
                </p>
              </li>
            );
          })}
        </ul>
      ) : (
        <p class="chart-empty">No dashboard or panel has “{words.trim()}” in its name.</p>
      )}
    </main>
  );
}
