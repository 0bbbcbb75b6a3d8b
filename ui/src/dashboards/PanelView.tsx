import { useState } from "preact/hooks";
import { Chart } from "../charts/Chart";
import type { Times } from "../charts/twin";
import type { Loss } from "../charts/types";
import { formatValue } from "../charts/unit";
import { filters, language, link, query } from "../core/state";
import type { PanelAnswer } from "./answers";
import { pageActions } from "./actions";
import { behind, indexOf } from "./request";
import type { Dashboard, Panel } from "./types";

interface Props {
  dashboard: Dashboard;
  panel: Panel;
  answer: PanelAnswer | undefined;
  loss: Loss[];
  times: Times;
  /** The dashboard's request failed: nothing will come. */
  failed: boolean;
  retry: () => void;
}

const HEIGHT = { low: 120, normal: 226, high: 336 };

/** Where the events behind a panel are listed: the same time, query and filters as its search. */
export function eventsLink(dashboard: Dashboard, panel: Panel): string {
  return link("discover", {
    index: indexOf(dashboard, panel),
    query: query.value,
    language: language.value,
    filters: [...filters.value, ...behind(dashboard, panel)],
    ...(dashboard.columns ? { columns: dashboard.columns } : {}),
  });
}

export function PanelView({ dashboard, panel, answer, loss, times, failed, retry }: Props) {
  const [table, setTable] = useState(false);
  const id = `panel-${dashboard.id}-${panel.id}`;
  const height = HEIGHT[panel.height ?? "normal"];
  const twin = panel.chart !== "table" && panel.chart !== "number" && answer?.data !== undefined && answer.total > 0;
  return (
    <section class={`panel w${panel.width} ${panel.chart === "number" ? "short" : (panel.height ?? "normal")}`} aria-labelledby={id} data-panel={panel.id} aria-busy={!answer && !failed}>
      <header class="panel-head">
        <h2 id={id} title={panel.about ?? panel.title}>
          {panel.title}
        </h2>
        <span class="panel-tools">
          {twin ? (
            <button type="button" class="tool" aria-pressed={table} onClick={() => setTable(!table)} title={table ? "Show as a chart" : "Show as a table"}>
              {table ? "Chart" : "Table"}
            </button>
          ) : null}
          {answer && !answer.absent && answer.error === undefined ? (
            <a class="tool events" href={eventsLink(dashboard, panel)} title="Show the events behind this" data-total={answer.total}>
              {panel.chart === "number" ? (
                <>
                  Events<span class="unseen">: {formatValue(answer.total, "count")}</span>
                </>
              ) : (
                <>
                  {formatValue(answer.total, "count")} <span class="events-word">{answer.total === 1 ? "event" : "events"}</span>
                </>
              )}
              <span aria-hidden="true"> ›</span>
            </a>
          ) : null}
        </span>
      </header>
      <div class="panel-body">
        {failed && (!answer || answer.error !== undefined) ? (
          <p class="chart-empty">No answer.</p>
        ) : !answer ? (
          <div class="panel-wait" role="status">
            <span class="unseen">Loading</span>
          </div>
        ) : answer.error !== undefined ? (
          <div class="panel-error" role="alert">
            <p>{answer.error}</p>
            <button type="button" class="tool" onClick={retry}>
              Try again
            </button>
          </div>
        ) : answer.absent || !answer.data ? (
          <p class="chart-empty">{panel.optional?.absent ?? "Nothing to show."}</p>
        ) : (
          <Chart
            data={answer.data}
            kind={panel.chart}
            stack={panel.stacked ?? false}
            label={panel.title}
            height={height}
            loss={loss}
            table={table}
            empty={panel.empty ?? "No such events in this time range."}
            actions={pageActions}
            times={times}
          />
        )}
      </div>
    </section>
  );
}
