import { colours } from "./colour";
import { inert } from "./inert";
import type { Actions, Loss, TimeData } from "./types";
import { formatValue } from "./unit";

/** Names of the series; a click narrows the page to one. */
export function Legend({ data, actions, loss }: { data: TimeData; actions: Actions; loss: Loss[] }) {
  const tint = colours(data.series);
  return (
    <ul class="legend" aria-label="Legend">
      {data.series.map((s, i) => {
        const sum = s.unit === "count" ? s.values.reduce((a: number, v) => a + (v ?? 0), 0) : undefined;
        const inner = (
          <>
            <span class="swatch" style={{ background: tint[i] }} aria-hidden="true" />
            <bdi>{inert(s.label, 60) || "(empty)"}</bdi>
            {sum !== undefined && s.pick ? <span class="legend-sum">{formatValue(sum, "count")}</span> : null}
          </>
        );
        const pick = s.pick;
        return (
          <li key={s.label}>
            {pick ? (
              <button type="button" class="legend-item" title="Filter for this" onClick={() => actions.pick(pick)}>
                {inner}
              </button>
            ) : (
              <span class="legend-item">{inner}</span>
            )}
          </li>
        );
      })}
      {loss.length ? (
        <li>
          <span class="legend-item">
            <span class="swatch lost" aria-hidden="true" />
            Packets lost in the shaded time
          </span>
        </li>
      ) : null}
    </ul>
  );
}
