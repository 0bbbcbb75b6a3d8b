import { inert } from "../charts/inert";
import type { CaptureHealth } from "./status";

/** What to do when nothing is captured. */
export function NextSteps({ health }: { health: CaptureHealth }) {
  const refused = health.devices.filter((d) => d.captured === false && d.why !== undefined);
  const reasons = [...new Set(refused.map((d) => d.why ?? ""))].slice(0, 4);
  const rights = [...reasons, ...health.notes.map((n) => n.text)].some((t) => /permission|right|privilege|CAP_NET/i.test(t));
  // The program's own words name its file.
  const program = health.notes.map((n) => /setcap \S+ (\S+)/.exec(n.text)?.[1]).find((p) => p !== undefined);
  return (
    <section class="dash-empty" aria-labelledby="next-title">
      <h2 id="next-title">{health.running === false ? "Nothing is being captured" : "No packets yet"}</h2>
      {reasons.length ? (
        <ul class="reasons">
          {reasons.map((r) => (
            <li key={r}>
              <bdi>{inert(r)}</bdi>
            </li>
          ))}
        </ul>
      ) : null}
      <ol class="steps">
        {rights ? (
          <li>
            Capturing needs rights: start it as root, or give them to the program once: <code>sudo setcap cap_net_raw,cap_net_admin=eip {program ?? "$(command -v wirebeat)"}</code>. Then start it again.
          </li>
        ) : null}
        <li>
          See which interfaces there are: <code>wirebeat devices</code>. Choose with <code>-i docker0,eth0</code>, or <code>-i any</code> for all.
        </li>
        <li>
          In a container, the host's traffic is only seen with <code>--net=host --cap-add=NET_RAW --cap-add=NET_ADMIN</code>. Docker Desktop runs containers in a virtual machine: what happens outside it is not seen there.
        </li>
        <li>
          Make some traffic, for example <code>curl http://example.com/</code>. Connections over TLS show as flows only.
        </li>
        <li>
          Or read a capture: <code>wirebeat read FILE --ui</code>.
        </li>
      </ol>
    </section>
  );
}
