// fields.js: what a task is about besides its spec, to read and to change.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Button, Copy, Field, When } from "../parts.js";
import { cellOf } from "../store.js";
import { brief } from "../words.js";
import { change } from "./doing.js";
import { nowOf, whyNotEdit } from "./steps.js";

const PRIORITIES = ["1 · first", "2", "3 · usual", "4", "5 · last"];

/** @param {{vtid: string, close: () => void}} props */
function Edit({ vtid, close }) {
  const task = /** @type {import("../types/page").Head} */ (cellOf(vtid).value.task);
  const [title, setTitle] = useState(task.title);
  const [priority, setPriority] = useState(task.priority);
  const store = async () => {
    if (await change(vtid, { title: title.trim(), priority })) close();
  };
  const why = whyNotEdit(nowOf(vtid)) ?? (title.trim() ? null : "A title must not be empty.");
  return html`<div class="edit">
    <${Field} label="Title">${(/** @type {string} */ id) => html`<input id=${id} maxlength="300" value=${title} onInput=${(/** @type {any} */ event) => setTitle(event.target.value)} />`}</${Field}>
    <${Field} label="Priority">${(/** @type {string} */ id) => html`<select id=${id} onChange=${(/** @type {any} */ event) => setPriority(Number(event.target.value))}>
      ${PRIORITIES.map((words, at) => html`<option key=${at} value=${at + 1} selected=${at + 1 === priority}>${words}</option>`)}</select>`}</${Field}>
    <div class="row"><${Button} action=${`change ${vtid}`} kind="primary" label="Save" busy="Saving …" why=${why} run=${store} /><button type="button" onClick=${close}>Cancel</button></div>
  </div>`;
}

/** @param {{vtid: string}} props */
export function Fields({ vtid }) {
  const [edits, setEdits] = useState(false);
  const known = cellOf(vtid).value;
  const task = known.task;
  if (!task) return null;
  if (edits) return html`<${Edit} vtid=${vtid} close=${() => setEdits(false)} />`;
  return html`<dl class="fields">
    <div><dt>Repository</dt><dd>${task.repository}</dd></div>
    <div><dt>Environment</dt><dd>${task.environment}</dd></div>
    <div><dt>Services</dt><dd>${task.services.join(", ") || "as the paths say"}</dd></div>
    <div><dt>Priority</dt><dd>${task.priority}</dd></div>
    <div><dt>Created</dt><dd><${When} at=${task.created_at} /> by ${task.created_by}</dd></div>
    ${task.spec && html`<div><dt>Spec SHA-256</dt><dd><${Copy} text=${task.spec.hash} show=${brief(task.spec.hash)} what="hash" /></dd></div>`}
    <div class="act"><dt class="hidden">Change</dt><dd><${Button} action=${`fields ${vtid}`} kind="quiet" label="Edit title and priority" why=${whyNotEdit(known)} run=${() => setEdits(true)} /></dd></div>
  </dl>`;
}
