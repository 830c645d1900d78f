// spec.js: the text of the spec, read or edited.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { onReturn } from "../live.js";
import { Button, Empty, Loading, When } from "../parts.js";
import { cellOf } from "../store.js";
import { Diff } from "./diff_view.js";
import { save } from "./doing.js";
import { nowOf, whyNotEdit } from "./steps.js";

/** @typedef {{text: string, base: string, version: number}} Draft the task's version and the text that the editor began with */

/** What is written and not saved, by VTID: closing the drawer loses nothing. @type {import("@preact/signals").Signal<ReadonlyMap<string, Draft>>} */
const drafts = signal(new Map());

/** @param {string} vtid @param {Draft | null} draft */
function setDraft(vtid, draft) {
  const next = new Map(drafts.peek());
  draft ? next.set(vtid, draft) : next.delete(vtid);
  drafts.value = next;
}

addEventListener("beforeunload", (event) => {
  if ([...drafts.peek().values()].some((draft) => draft.text !== draft.base)) event.preventDefault();
});

/** How Markdown becomes HTML: null until that was read, false when it could not be. @type {import("@preact/signals").Signal<((markdown: string) => string) | null | false>} */
const renderer = signal(null);

const readRenderer = () =>
  void import("../markdown.js").then(
    (module) => (renderer.value = module.safeHtml),
    () => (renderer.value = false),
  );
onReturn(() => renderer.peek() === false && readRenderer());

/** Markdown from outside: what is not harmless is taken out before it becomes part of the page. @param {{text: string}} props */
export function Markdown({ text }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const safe = renderer.value;
  useEffect(() => {
    if (safe === null) readRenderer();
    else if (safe && box.current) {
      box.current.innerHTML = safe(text);
      // What is wider than the drawer is scrolled sideways, with the keyboard as well.
      for (const wide of box.current.querySelectorAll("pre, table")) /** @type {HTMLElement} */ (wide).tabIndex = 0;
    }
  }, [safe, text]);
  if (safe === false) return html`<p class="warning">This is the bare text: what shows it as a page could not be read from the server.</p><pre tabindex="0" aria-label="Spec">${text}</pre>`;
  return safe ? html`<div class="markdown" ref=${box}></div>` : html`<${Loading} what="Reading the spec" />`;
}

/** @param {{vtid: string, draft: Draft}} props */
function Editor({ vtid, draft }) {
  const { task } = cellOf(vtid).value;
  if (!task) return null;
  const overtaken = task.spec && task.version !== draft.version && task.spec.markdown !== undefined && task.spec.markdown !== draft.base;
  const write = (/** @type {any} */ event) => setDraft(vtid, { ...draft, text: event.target.value });
  const store = async () => {
    const now = drafts.peek().get(vtid) ?? draft;
    if (await save(vtid, now.text, now.version, now.base || null)) setDraft(vtid, null);
  };
  const rebase = () => setDraft(vtid, { ...draft, base: nowOf(vtid).task?.spec?.markdown ?? "", version: nowOf(vtid).task?.version ?? 0 });
  const why = whyNotEdit(nowOf(vtid)) ?? (draft.text.trim() ? null : "A spec must not be empty.") ?? (draft.text === draft.base ? "Nothing is changed yet." : null);
  return html`<div class="editor">
    <label for="spec-text">Spec in Markdown</label>
    <textarea id="spec-text" spellcheck="true" value=${draft.text} onInput=${write}></textarea>
    ${overtaken && html`<div class="banner" role="alert">
      <p><b>Version ${task.spec?.version} by ${task.spec?.author} was saved while you were writing.</b> Your text is kept. What theirs changed:</p>
      <${Diff} old=${draft.base} fresh=${task.spec?.markdown ?? ""} />
      <button type="button" onClick=${rebase}>Put mine on top of theirs</button>
    </div>`}
    <div class="row">
      <${Button} action=${`save ${vtid}`} kind="primary" label="Save as a new version" busy="Saving …" why=${overtaken ? "Decide first what becomes of the other version." : why} run=${store} />
      <button type="button" onClick=${() => setDraft(vtid, null)}>Discard</button>
    </div>
  </div>`;
}

/** @param {{vtid: string, text: string | null, children?: unknown}} props `text` is the version before the reader */
export function SpecText({ vtid, text, children }) {
  const known = cellOf(vtid).value;
  const spec = known.task?.spec;
  const draft = drafts.value.get(vtid);
  const edit = () => {
    const task = nowOf(vtid).task;
    const base = task?.spec?.markdown ?? "";
    if (task) setDraft(vtid, { text: base || "# Goal\n\n\n## Scope\n\n\n## Acceptance Criteria\n\n- \n", base, version: task.version });
  };
  if (draft) return html`<${Editor} vtid=${vtid} draft=${draft} />`;
  const why = whyNotEdit(known);
  if (!spec) return html`<${Empty} title="No spec yet"><${Button} action=${`edit ${vtid}`} kind="primary" label="Write the spec" why=${why} run=${edit} /></${Empty}>`;
  if (text === null) return html`<${Loading} what="Reading the spec" />`;
  return html`
    ${children}
    <div class="row spread"><p class="dim">Version ${spec.version} by ${spec.author}${spec.approved_by && html` · approved by <b>${spec.approved_by}</b> <${When} at=${spec.approved_at} />${spec.reason && `: ${spec.reason}`}`}</p>
      <${Button} action=${`edit ${vtid}`} kind="quiet" label="Edit" why=${why} run=${edit} /></div>
    ${spec.warnings && spec.warnings.length > 0 && html`<p class="warning">Validation warns: ${spec.warnings.join("; ")}.</p>`}
    <${Markdown} text=${text} />
  `;
}
