import { useEffect, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { Popover } from "../app/Popover";
import { say } from "../app/toast";
import { inert } from "../core/format";
import { go } from "../core/route";
import { change, send } from "../core/send";
import { address } from "../core/state";
import { stamp } from "../core/time";

interface Item {
  id: string;
  type: string;
  title: string;
  /** The part of an address after `?`, with its version. */
  state: string;
  updated?: string | number;
}

function itemsOf(answer: unknown): Item[] {
  const list = (answer as { items?: unknown }).items;
  if (!Array.isArray(list)) return [];
  return (list as Item[]).filter((i) => i.type === "search" && typeof i.id === "string" && typeof i.title === "string" && typeof i.state === "string");
}

/** Saved searches: open, save, remove. */
export function Saved({ close }: { close: () => void }) {
  const [items, setItems] = useState<Item[] | null>(null);
  const [error, setError] = useState("");
  const [title, setTitle] = useState("");
  const load = async () => {
    try {
      const response = await send("/_ui/saved", {});
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      setItems(itemsOf(await response.json()));
    } catch (e) {
      setError(`Saved searches could not be read: ${e instanceof Error ? e.message : String(e)}`);
    }
  };
  useEffect(() => void load(), []);
  const save = async (e: Event) => {
    e.preventDefault();
    const name = title.trim();
    if (!name) return;
    const there = items?.find((i) => i.title === name);
    const id = there?.id ?? crypto.randomUUID();
    const response = await change("PUT", `/_ui/saved/${encodeURIComponent(id)}`, { id, type: "search", title: name, state: address() });
    if (!response.ok) return say(`The search could not be saved (HTTP ${response.status})`, true);
    say(there ? "The saved search was replaced" : "The search is saved");
    close();
  };
  const remove = async (item: Item) => {
    const response = await change("DELETE", `/_ui/saved/${encodeURIComponent(item.id)}`);
    if (!response.ok) return say(`The search could not be removed (HTTP ${response.status})`, true);
    await load();
  };
  return (
    <Popover label="Saved searches" side="right" class="saved" close={close}>
      <form class="save" onSubmit={(e) => void save(e)}>
        <input class="input" aria-label="Name of this search" placeholder="Name this search" maxLength={120} value={title} onInput={(e) => setTitle(e.currentTarget.value)} />
        <button type="submit" class="button main" disabled={!title.trim()}>
          Save
        </button>
      </form>
      {error ? <p class="wrong">{error}</p> : null}
      {items?.length === 0 ? <p class="menu-note">Nothing is saved yet. Query, time, filters and columns are kept.</p> : null}
      <ul class="saved-list">
        {items?.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              class="quick-item"
              title={inert(item.title)}
              onClick={() => {
                close();
                go(`/discover?${item.state}`);
              }}
            >
              <bdi>{inert(item.title, 100)}</bdi>
              {item.updated ? <small>{stamp(Number(new Date(item.updated)), false)}</small> : null}
            </button>
            <button type="button" class="icon-button small" aria-label={`Remove ${inert(item.title, 60)}`} title="Remove" onClick={() => void remove(item)}>
              <Icon name="trash" size={14} />
            </button>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
