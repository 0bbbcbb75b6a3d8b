import type { Times } from "../charts/twin";
import { clock, offset, stamp } from "../core/time";

const DAY = 86_400_000;

/** How times are written on a page that shows this range. */
export function pageTimes(from: number, to: number): Times {
  const span = to - from;
  const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const tick = (ms: number): string => {
    if (span < 5_000) return clock(ms).slice(3);
    if (span <= 10 * 60_000) return clock(ms, false);
    if (span <= DAY) return clock(ms, false).slice(0, 5);
    if (span <= 5 * DAY) return `${day.format(ms)} ${clock(ms, false).slice(0, 5)}`;
    return span > 300 * DAY ? month.format(ms) : day.format(ms);
  };
  return { tick, full: (ms, step) => `${stamp(ms, step < 1000)} ${offset(ms)}` };
}
