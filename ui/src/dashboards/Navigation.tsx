import { link } from "../core/state";
import { DASHBOARDS } from "./load";

/** Every dashboard; time and pinned filters go along. */
export function Navigation({ current }: { current: string }) {
  return (
    <nav class="dash-nav" aria-label="Dashboards">
      <ul>
        {DASHBOARDS.map((d) => (
          <li key={d.id}>
            <a href={link(`dashboards/${d.id}`)} aria-current={d.id === current ? "page" : undefined}>
              {d.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
