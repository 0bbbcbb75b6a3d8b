import { link } from "../core/state";
import { path } from "../core/route";
import { online } from "../core/send";
import { status, type Status } from "../core/status";
import { choice, type Choice } from "../core/theme";
import { formatValue, inert } from "../core/format";
import { Icon, type IconName } from "./icons";
import { helpOpen } from "./keys";

const PAGES: [string, string][] = [
  ["discover", "Discover"],
  ["dashboards", "Dashboards"],
  ["indices", "Indices"],
  ["capture", "Capture"],
];

const NEXT: Record<Choice, { to: Choice; icon: IconName; label: string }> = {
  system: { to: "light", icon: "auto", label: "Colours follow the system" },
  light: { to: "dark", icon: "sun", label: "Light colours" },
  dark: { to: "system", icon: "moon", label: "Dark colours" },
};

/** Name, pages, how the capture does, theme and help. */
export function Header() {
  const here = path.value.split("/")[1] || "discover";
  const theme = NEXT[choice.value];
  return (
    <header class="header">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <a class="brand" href={link("discover")} aria-label="wirebeat, to Discover">
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 17h6.5l2.8-9 5.2 17 3.2-11 1.6 3H29" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
        <span>wirebeat</span>
      </a>
      <nav class="pages" aria-label="Pages">
        {PAGES.map(([page, title]) => (
          <a key={page} href={link(page)} {...(here === page || (page === "discover" && here === "doc") ? { "aria-current": "page" as const } : {})}>
            {title}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <Health s={status.value} />
        <button type="button" class="icon-button" onClick={() => (choice.value = theme.to)} aria-label={`${theme.label}; change`} title={theme.label}>
          <Icon name={theme.icon} />
        </button>
        <button type="button" class="icon-button" onClick={() => (helpOpen.value = true)} aria-label="Keys and queries" title="Keys and queries (?)">
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function skip(e: Event): void {
  e.preventDefault();
  const main = document.getElementById("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}

/** One word about the capture, with its rate; leads to the page that says more. */
function Health({ s }: { s: Status | null }) {
  const { tone, text, title } = healthOf(s, online.value);
  if (text === "") return null;
  return (
    <a class={`health ${tone}`} href={link("capture")} title={title}>
      <span class="dot" aria-hidden="true" />
      <span class="health-text">{text}</span>
    </a>
  );
}

const LATELY = 60_000;

function healthOf(s: Status | null, reachable: boolean): { tone: "ok" | "warn" | "error" | "quiet"; text: string; title: string } {
  if (!reachable) return { tone: "error", text: "Not reachable", title: "wirebeat does not answer" };
  if (!s) return { tone: "quiet", text: "", title: "" };
  if (s.mode === "read") return { tone: "quiet", text: inert(s.title ?? "A capture file", 40), title: inert(s.title ?? "Events of capture files") };
  if (s.store?.failing) return { tone: "error", text: "Store failing", title: "Events cannot be stored" };
  const c = s.capture;
  if (!c) return { tone: "quiet", text: "", title: "" };
  if (c.running === false) return { tone: "error", text: "Not capturing", title: "Nothing is captured. See why" };
  const since = Date.parse(s.now ?? "") - LATELY;
  const lost = (c.loss ?? []).flatMap((l) => l.recent ?? []).reduce((n, l) => n + (Date.parse(l.t) > since ? l.n : 0), 0);
  if (lost > 0) return { tone: "warn", text: `${formatValue(lost, "count")} lost`, title: "Packets or events were lost just now. See where" };
  const rate = c.rates?.packets;
  const text = rate === undefined ? "Capturing" : `${formatValue(Math.round(rate), "count")} packets/s`;
  return { tone: "ok", text, title: "Capturing. How it does" };
}
