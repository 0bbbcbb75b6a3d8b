/** The next round number: 1, 2, 4, 5 or 8 times a power of ten. */
export function nice(v: number): number {
  const power = 10 ** Math.floor(Math.log10(v));
  return ([1, 2, 4, 5, 8, 10].find((f) => f * power >= v * 0.9999) ?? 10) * power;
}
