import { colours } from "./colour";
import { inert } from "./inert";
import type { Actions, SliceData } from "./types";
import { formatValue } from "./unit";

const R = 50;
const HOLE = 31;

function at(angle: number, r: number): string {
  return `${(R + r * Math.sin(angle)).toFixed(4)} ${(R - r * Math.cos(angle)).toFixed(4)}`;
}

function arc(from: number, to: number): string {
  const end = Math.min(to, from + Math.PI * 2 - 1e-3);
  const large = end - from > Math.PI ? 1 : 0;
  return `M${at(from, R)}A${R} ${R} 0 ${large} 1 ${at(end, R)}L${at(end, HOLE)}A${HOLE} ${HOLE} 0 ${large} 0 ${at(from, HOLE)}Z`;
}

/** Shares of a whole. The legend carries what the arcs do, for keyboard and screen readers. */
export function Donut({ data, label, actions }: { data: SliceData; label: string; actions: Actions }) {
  const slices = data.slices.filter((s) => s.value > 0);
  const total = slices.reduce((sum, s) => sum + s.value, 0);
  const tint = colours(slices);
  let angle = 0;
  return (
    <div class="donut">
      <svg viewBox="0 0 100 100" aria-hidden="true" class="donut-ring">
        {slices.map((s, i) => {
          const from = angle;
          angle += (s.value / total) * Math.PI * 2;
          const pick = s.pick;
          return (
            <path
              key={s.label}
              d={arc(from, angle)}
              fill={tint[i]}
              class={pick ? "pickable" : ""}
              {...(pick ? { onClick: () => actions.pick(pick) } : {})}
            >
              <title>{`${inert(s.label, 120)}: ${formatValue(s.value, data.unit)}`}</title>
            </path>
          );
        })}
        <text x="50" y="52" text-anchor="middle" class="donut-total">
          {formatValue(total, data.unit)}
        </text>
        <text x="50" y="62" text-anchor="middle" class="donut-word">
          in all
        </text>
      </svg>
      <ul class="slices" aria-label={label}>
        {slices.map((s, i) => {
          const share = `${((s.value / total) * 100).toFixed(s.value / total < 0.1 ? 1 : 0)} %`;
          const inner = (
            <>
              <span class="swatch" style={{ background: tint[i] }} aria-hidden="true" />
              <bdi class="slice-name">{inert(s.label, 120) || "(empty)"}</bdi>
              <span class="slice-value">{formatValue(s.value, data.unit)}</span>
              <span class="slice-share">{share}</span>
            </>
          );
          const pick = s.pick;
          return (
            <li key={s.label}>
              {pick ? (
                <button type="button" title="Filter for this" onClick={() => actions.pick(pick)}>
                  {inner}
                </button>
              ) : (
                <span class="slice-plain">{inner}</span>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
