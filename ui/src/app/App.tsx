import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { link } from "../core/state";
import { path } from "../core/route";
import { Discover } from "../discover/Discover";
import { DocPage } from "../discover/DocPage";
import { Banner } from "./Banner";
import { Header } from "./Header";
import { Help } from "./Help";
import { SearchBar } from "./SearchBar";
import { Toasts } from "./toast";
import { TokenDialog } from "./TokenDialog";

/** The page under its header. */
export function App() {
  return (
    <>
      <Header />
      <Banner />
      <Page />
      <Help />
      <TokenDialog />
      <Toasts />
    </>
  );
}

const dashboards = () => import("../dashboards/index");

function Page() {
  const parts = path.value.split("/").filter(Boolean);
  const [first = "discover", second, third] = parts.map(part);
  useEffect(() => {
    document.title = `${TITLES[first] ?? "Not found"} · wirebeat`;
  }, [first]);
  if (first === "discover" && parts.length < 2) return <Discover />;
  if (first === "doc" && second !== undefined && third !== undefined) return <DocPage index={second} id={third} />;
  if (first === "dashboards" && second !== undefined) {
    return (
      <>
        <SearchBar />
        <Lazy key="dashboard" load={() => dashboards().then((m) => m.DashboardPage)} props={{ id: second }} />
      </>
    );
  }
  if (first === "dashboards") return <Lazy key="dashboards" load={() => dashboards().then((m) => m.DashboardsPage)} props={{}} />;
  if (first === "indices") return <Lazy key="indices" load={() => import("../pages/Indices").then((m) => m.Indices)} props={{}} />;
  if (first === "capture") return <Lazy key="capture" load={() => import("../pages/Capture").then((m) => m.Capture)} props={{}} />;
  return (
    <main class="page lost" id="main">
      <h1>There is no such page</h1>
      <p>
        <a href={link("discover")}>To Discover</a>
      </p>
    </main>
  );
}

const TITLES: Record<string, string> = { discover: "Discover", doc: "Event", dashboards: "Dashboards", indices: "Indices", capture: "Capture" };

function part(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A page that is loaded when it is first wanted. */
function Lazy<P extends object>({ load, props }: { load: () => Promise<ComponentType<P>>; props: P }) {
  const [found, setFound] = useState<{ page: ComponentType<P> } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (page) => setFound({ page }),
      () => setFailed(true),
    );
  }, []);
  if (failed) {
    return (
      <main class="page lost" id="main">
        <h1>The page could not be loaded</h1>
        <p>
          wirebeat was perhaps replaced by another version. <a href={location.pathname} target="_self">Load it again</a>
        </p>
      </main>
    );
  }
  if (!found) return <main class="page" id="main" aria-busy="true" />;
  const Found = found.page;
  return <Found {...props} />;
}
