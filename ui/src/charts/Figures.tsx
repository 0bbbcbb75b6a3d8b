import { inert } from "./inert";
import type { Actions, FigureData } from "./types";
import { formatValue } from "./unit";

/** Single numbers, large. */
export function Figures({ data, label, actions }: { data: FigureData; label: string; actions: Actions }) {
  return (
    <dl class="figures">
      {data.figures.map((f) => {
        const pick = f.pick;
        const text = formatValue(f.value, f.unit);
        return (
          <div key={f.label} class="figure">
            <dt class={data.figures.length === 1 && f.label === label ? "unseen" : ""}>{inert(f.label)}</dt>
            <dd class="figure-value">
              {pick?.length ? (
                <button type="button" title="Filter for these" onClick={() => actions.pick(pick)}>
                  {text}
                </button>
              ) : (
                text
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
