// Which colour stands for which series. Colours are CSS variables, so that both themes and the canvas agree.
import { ownColour } from "../core/palette";

const SERIES = 8;

const MEANING: [RegExp, string][] = [
  [/^(ok|success|noerror|2\d\d)$/i, "var(--series-ok)"],
  [/^(error|failure|servfail|5\d\d)$/i, "var(--series-error)"],
  [/^(4\d\d|nxdomain)$/i, "var(--series-warn)"],
];

/** A colour for each; what means success or error has its own, and so has a kind of event; each once. */
export function colours(list: { label: string; rest?: boolean }[]): string[] {
  const taken = new Set<string>();
  const first = list.map((s) => {
    if (s.rest) return "var(--series-rest)";
    const meant = MEANING.find(([pattern]) => pattern.test(s.label))?.[1] ?? ownColour(s.label);
    if (meant === undefined || taken.has(meant)) return undefined;
    taken.add(meant);
    return meant;
  });
  // What looks like a meaning that is shown does not stand for anything else.
  const free = Array.from({ length: SERIES }, (_, i) => i).filter((i) => !taken.has(`var(--series-${i})`) && !(taken.has("var(--series-ok)") && i === 2) && !(taken.has("var(--series-warn)") && i === 1));
  let next = 0;
  return first.map((c) => c ?? `var(--series-${free[next++ % free.length] ?? 0})`);
}

/** A `var(--x)` as the canvas takes it. */
export function resolve(colour: string, element: Element): string {
  const name = /^var\((--[a-z0-9-]+)\)$/.exec(colour)?.[1];
  return name === undefined ? colour : getComputedStyle(element).getPropertyValue(name).trim() || "#888";
}
