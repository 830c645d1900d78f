// shortcut_list.js: what the keyboard can do here.

import { html } from "./html.js";
import { shortcuts } from "./keys.js";
import { Dialog } from "./parts.js";

/** `g b` is two keys after each other, `Control+k` two at once. @param {{keys: string}} props */
const Keys = ({ keys }) =>
  keys.split(" ").map((one, at) => html`${at > 0 && " then "}${one.split("+").map((key, place) => html`${place > 0 && " + "}<kbd>${key === "Control" ? "Ctrl" : key}</kbd>`)}`);

/** @param {{close: () => void}} props */
export default function ShortcutList({ close }) {
  const known = [...new Map(shortcuts.map((each) => [each.keys, each])).values()];
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${close}>
    <table class="dense"><thead class="hidden"><tr><th scope="col">Does</th><th scope="col">Keys</th></tr></thead>
      <tbody>${known.map((each) => html`<tr key=${each.keys}><th scope="row">${each.says}</th><td class="keys"><${Keys} keys=${each.keys} /></td></tr>`)}
      <tr><th scope="row">next and previous control</th><td class="keys"><kbd>Tab</kbd> / <kbd>Shift</kbd> + <kbd>Tab</kbd></td></tr></tbody></table>
  </${Dialog}>`;
}
