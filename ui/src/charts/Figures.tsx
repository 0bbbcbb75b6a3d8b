import { inert } from "./inert";
import type { Actions, FigureData } from "./types";
import { formatValue } from "./unit";

/** Single numbers, large. */
export function Figures({ data, actions }: { data: FigureData; actions: Actions }) {
  // The panel's title says what a single number is.
  const only = data.figures.length === 1;
  return (
    <dl class="figures">
      {data.figures.map((f) => {
        const pick = f.pick;
        const text = formatValue(f.value, f.unit);
        return (
          <div key={f.label} class="figure">
            <dt class={only ? "unseen" : ""}>{inert(f.label)}</dt>
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
