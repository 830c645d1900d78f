// sign_in.js: the place of every view while nobody is signed in.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";

/** @param {{signIn: (key: string) => Promise<void>}} props */
export function SignIn({ signIn }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => field.current?.focus(), []);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const key = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("key")).value;
    setBusy(true);
    setProblem("");
    try {
      await signIn(key);
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
    } finally {
      setBusy(false);
    }
  };
  return html`<main id="main" class="signin">
    <h1>Command Hub</h1>
    <form onSubmit=${submit}>
      <label for="key">Your API key</label>
      <input id="key" ref=${field} name="key" type="password" autocomplete="current-password" required />
      <p class="wrong" role="alert">${problem}</p>
      <button class="primary" aria-busy=${busy ? "true" : undefined}>${busy ? "Signing in …" : "Sign in"}</button>
    </form>
    <p class="dim">The key is exchanged for a cookie that no script can read. An administrator makes one with <code>vtid token create --role viewer</code>.</p>
  </main>`;
}
