import { useState } from "preact/hooks";
import { asking } from "../core/send";
import { status } from "../core/status";
import { Dialog } from "./Dialog";

/** Asks for the token that changes need. */
export function TokenDialog() {
  const [token, setToken] = useState("");
  if (!asking.value) return null;
  const { answer, refused } = asking.value;
  const file = status.value?.token_file;
  return (
    <Dialog title="A token is needed" close={() => answer(null)}>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          if (token.trim()) answer(token.trim());
          setToken("");
        }}
      >
        {refused ? (
          <p class="warn" role="alert">
            That was not the token of this data directory.
          </p>
        ) : null}
        <p>
          Reading is open to whoever reaches this page; changing something takes the token.
          {file ? (
            <>
              {" "}
              It is in the file <code>{file}</code>, and in the address that wirebeat printed when it started.
            </>
          ) : (
            " It is in the address that wirebeat printed when it started."
          )}
        </p>
        <label>
          Token
          <input type="password" class="input mono" autocomplete="off" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
        </label>
        <div class="form-tools">
          <button type="button" class="button" onClick={() => answer(null)}>
            Cancel
          </button>
          <button type="submit" class="button main" disabled={!token.trim()}>
            Go on
          </button>
        </div>
      </form>
    </Dialog>
  );
}
