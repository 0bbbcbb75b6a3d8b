import type { Times } from "../charts/twin";

const DAY = 86_400_000;

function offset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const two = (n: number) => String(n).padStart(2, "0");
  const a = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(a / 60))}:${two(a % 60)}`;
}

/** How times are written on a page that shows this range. */
export function pageTimes(from: number, to: number): Times {
  const span = to - from;
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const year = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const tick = (ms: number): string => {
    if (span < 2_000) return `${seconds.format(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
    if (span <= 10 * 60_000) return seconds.format(ms);
    if (span <= DAY) return clock.format(ms);
    if (span <= 5 * DAY) return `${day.format(ms)} ${clock.format(ms)}`;
    return day.format(ms);
  };
  const full = (ms: number, step: number): string => {
    const time = step < 1000 ? `${seconds.format(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}` : seconds.format(ms);
    return `${year.format(ms)}, ${time} ${offset(ms)}`;
  };
  return { tick, full };
}
