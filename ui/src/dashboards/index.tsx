import { useMemo, useState } from "preact/hooks";
import { bounds, link } from "../core/state";
import { DashboardsPage as List } from "./List";
import { dashboard } from "./load";
import { losses, within } from "./loss";
import { Navigation } from "./Navigation";
import { NoEvents } from "./NoEvents";
import { PanelView } from "./PanelView";
import { pageTimes } from "./times";
import type { Dashboard } from "./types";
import { useAnswers } from "./useAnswers";
import "./dashboards.css";
import "../charts/charts.css";

export const DashboardsPage = List;

/** One dashboard: navigation, panels, and the losses that shade them. */
export function DashboardPage({ id }: { id: string }) {
  const d = dashboard(id);
  if (!d) {
    return (
      <main class="page dash" id="main">
        <Navigation current="" />
        <section class="dash-empty">
          <h1>There is no dashboard “{id}”</h1>
          <p>
            <a href={link("dashboards")}>All dashboards</a>
          </p>
        </section>
      </main>
    );
  }
  return <Shown key={d.id} d={d} />;
}

function Shown({ d }: { d: Dashboard }) {
  const [again, setAgain] = useState(0);
  const { answers, busy, error } = useAnswers(d, again);
  const range = answers?.frame ?? bounds();
  const times = useMemo(() => pageTimes(range.from, range.to), [range.from, range.to]);
  const loss = within(range.from, range.to);
  const retry = () => setAgain((n) => n + 1);
  const nothing = answers !== null && [...answers.panels.values()].every((p) => p.total === 0 && p.error === undefined);
  void losses.value;
  return (
    <main class="page dash" id="main">
      <Navigation current={d.id} />
      <header class="dash-head">
        <h1>{d.title}</h1>
        <p>{d.about}</p>
      </header>
      <div class={busy ? "dash-progress on" : "dash-progress"} role="status" aria-label={busy ? "Loading" : "Up to date"} />
      {error !== null ? (
        <div class="dash-error" role="alert">
          <strong>The search failed.</strong> <span>{error}</span>{" "}
          <button type="button" class="tool" onClick={retry}>
            Try again
          </button>
        </div>
      ) : null}
      {nothing && error === null ? <NoEvents dashboard={d} times={times} /> : null}
      {loss.length ? (
        <p class="dash-loss" role="note">
          Packets were lost in this time range, where the charts are shaded: numbers there are too small. <a href={link("capture")}>What was lost</a>
        </p>
      ) : null}
      <div class="panels">
        {d.panels.map((p) => (
          <PanelView key={p.id} dashboard={d} panel={p} answer={answers?.panels.get(p.id)} loss={loss} times={times} failed={error !== null} retry={retry} />
        ))}
      </div>
    </main>
  );
}
