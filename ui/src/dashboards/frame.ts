// The time of one refresh and how it is cut in buckets.
import { interval } from "../core/time";
import type { Frame } from "./request";

const BUCKETS = 60;
const HOUR = 3_600_000;

/** The shortest round step that makes at most 60 buckets of a span, both in ms. */
export function stepFor(span: number): number {
  return interval(0, span, BUCKETS).ms;
}

/** The frame of a time range in ms. */
export function frameOf(from: number, to: number): Frame {
  const step = stepFor(Math.max(1, to - from));
  const zone = -new Date(to).getTimezoneOffset() * 60_000;
  const shift = step > HOUR ? (((-zone % step) + step) % step) : 0;
  return shift ? { from, to, step, shift } : { from, to, step };
}
