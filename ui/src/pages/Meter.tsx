/** How full something is. */
export function Meter({ value, most, label }: { value: number; most: number; label: string }) {
  const share = most > 0 ? Math.min(1, value / most) : 0;
  const level = share > 0.9 ? "high" : share > 0.7 ? "middle" : "low";
  return (
    <span class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <span class={level} style={{ width: `${share * 100}%` }} />
    </span>
  );
}
