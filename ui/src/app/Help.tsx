import { Dialog } from "./Dialog";
import { helpOpen, KEYS } from "./keys";

/** The keys, and how a query is written. */
export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog title="Keys and queries" class="wide" close={() => (helpOpen.value = false)}>
      <div class="help">
        {KEYS.map((g) => (
          <section key={g.group}>
            <h3>{g.group}</h3>
            <dl class="keys">
              {g.keys.map(([k, what]) => (
                <div key={k}>
                  <dt>
                    {k.split(" ").map((part) => (part === "/" && k !== "/" ? " / " : <kbd key={part}>{part}</kbd>))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Queries (KQL)</h3>
          <dl class="keys queries">
            {(
              [
                ["status: Error", "a value"],
                ["http.response.status_code >= 500", "a range"],
                ['url.path: "/a b"', "a phrase"],
                ["dns.question.name: *.example.com", "any text"],
                ["source.ip: 10.0.0.0/8", "a network"],
                ["type: (http or dns) and not status: OK", "several"],
              ] as const
            ).map(([q, what]) => (
              <div key={q}>
                <dt>
                  <code>{q}</code>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
