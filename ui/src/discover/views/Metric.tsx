import { useMemo } from "preact/hooks";
import { Value } from "../DocTable";
import { flatten } from "../flat";
import type { Row } from "../model";
import { Section } from "./parts";

const ASIDE = /^(@timestamp|event\.|ecs\.|agent\.|tags$)/;
const MOST = 300;

/** A measurement: what was measured, by group. */
export function Metric({ row }: { row: Row }) {
  const groups = useMemo(() => {
    const out = new Map<string, { field: string; values: unknown[] }[]>();
    for (const e of flatten(row.source).filter((f) => !ASIDE.test(f.field)).slice(0, MOST)) {
      const group = e.field.split(".").slice(0, e.field.startsWith("system.") || e.field.startsWith("docker.") ? 2 : 1).join(" ");
      out.set(group, [...(out.get(group) ?? []), e]);
    }
    return [...out];
  }, [row.id]);
  return (
    <div class="protocol">
      {groups.map(([name, list]) => (
        <Section key={name} title={name}>
          <dl class="pairs">
            {list.map((e) => (
              <div class="pair" key={e.field}>
                <dt title={e.field}>{e.field}</dt>
                <dd>
                  {e.values.slice(0, 20).map((v, i) => (
                    <Value key={i} field={e.field} value={v} />
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      ))}
    </div>
  );
}
