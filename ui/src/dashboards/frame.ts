// The time of one refresh and how it is cut in buckets.
import type { Frame } from "./request";

const STEPS = [
  100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10800e3,
  21600e3, 43200e3, 86400e3, 172800e3, 604800e3, 2592000e3,
];

/** The shortest step that makes at most `most` buckets of a span. */
export function stepFor(span: number, most = 60): number {
  return STEPS.find((s) => span / s <= most) ?? Math.ceil(span / most / 86400e3) * 86400e3;
}

/** The frame of a time range in ms. */
export function frameOf(from: number, to: number): Frame {
  return { from, to, step: stepFor(Math.max(1, to - from)) };
}
