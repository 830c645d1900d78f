// drawer.js: one task beside the board (on a phone in its place): read the spec, approve, validate, activate, follow.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { shortcut } from "../keys.js";
import { Button, Loading, Message, Pill, ProblemBox, Waiting } from "../parts.js";
import { go, Link, route, withQuery } from "../route.js";
import { cellOf, load, watch } from "../store.js";
import { system } from "../system.js";
import { codeWords, specLook, taskLook } from "../words.js";
import { Dots } from "../board/card.js";
import { EventsOf } from "../run/events.js";
import { CancelButton } from "../run/cancel.js";
import { activate, approve, savedHere, validate } from "./doing.js";
import { Fields } from "./fields.js";
import { SpecText } from "./spec.js";
import { nowOf, whyNotActivate, whyNotApprove, whyNotValidate } from "./steps.js";
import { Versions } from "./versions.js";

const TABS = { spec: "Spec", versions: "Versions", events: "Events" };

const close = () => go(withQuery({ tab: null, from: null, to: null, type: null, text: null }, "/"));
shortcut("Escape", "close the drawer", () => ["task", "new"].includes(route.peek().page) && close());

/** @typedef {{hash: string, text: string, version: number}} Reading the text that is before the reader */

/** @param {{vtid: string, reading: Reading | null}} props */
function Steps({ vtid, reading }) {
  const known = cellOf(vtid).value;
  const spec = known.task?.spec;
  const read = reading?.hash ?? null;
  // Judged again when pressed: what was drawn may be old by then.
  const once = (/** @type {() => string | null} */ why, /** @type {() => void} */ act) => () => why() === null && act();
  return html`<ol class="steps" aria-label="From spec to run">
    <li class=${spec && spec.state !== "draft" ? "done" : ""}>
      <${Button} action=${`validate ${vtid}`} label="Validate" busy="Validating …" why=${whyNotValidate(known)} run=${once(() => whyNotValidate(nowOf(vtid)), () => validate(vtid))} /></li>
    <li class=${spec?.state === "approved" ? "done" : ""}>
      <${Button} action=${`approve ${vtid}`} kind=${spec?.state === "approved" ? "" : "primary"} label=${`Approve${spec ? ` version ${reading?.version ?? spec.version}` : ""}`} busy="Approving …" why=${whyNotApprove(known, read)}
        run=${once(() => whyNotApprove(nowOf(vtid), read), () => approve(vtid, /** @type {Reading} */ (reading).hash))} /></li>
    <li>
      <${Button} action=${`activate ${vtid}`} kind=${spec?.state === "approved" ? "primary" : ""} label=${known.brief?.outcome ? "Activate: start a new run" : "Activate: start the run"} busy="Starting …" why=${whyNotActivate(known, read)}
        run=${once(() => whyNotActivate(nowOf(vtid), read), () => activate(vtid))} />
      ${system.value?.armed === false && html`<small class="why">The emergency stop is on: a run that is started now waits until it is lifted.</small>`}</li>
  </ol>`;
}

/** @param {{vtid: string}} props */
function RunNow({ vtid }) {
  const { brief } = cellOf(vtid).value;
  if (!brief) return null;
  return html`<section class="run-now" aria-labelledby="run-now">
    <div class="row spread"><h3 id="run-now">Run</h3><${Link} href=${`/runs/${vtid}`}>Open the run</${Link}></div>
    <${Dots} stages=${brief.stages} />
    ${brief.failure && html`<div class="code"><b>${codeWords(brief.failure.code)}</b> <${Message} text=${brief.failure.message} /></div>`}
    ${brief.waiting && html`<${Waiting} waiting=${brief.waiting} />`}
    ${!brief.outcome && html`<div class="row">
      ${brief.status === "blocked" && html`<${Link} class="button primary" href=${`/runs/${vtid}#decide`}>Decide</${Link}>`}
      <${CancelButton} vtid=${vtid} />
    </div>`}
  </section>`;
}

/** The text that is before the reader stays, until they ask for a newer one: nobody approves what moved under their eyes. @param {string} vtid */
function useReading(vtid) {
  const [reading, setReading] = useState(/** @type {Reading | null} */ (null));
  const spec = cellOf(vtid).value.task?.spec;
  const current = spec?.markdown === undefined ? null : { hash: spec.hash, text: spec.markdown, version: spec.version };
  useEffect(() => {
    if (current && (!reading || savedHere.peek().has(current.hash))) setReading(current);
  }, [current?.hash]);
  return { reading, current, readCurrent: () => setReading(current) };
}

/** @param {{vtid: string, known: import("../types/page").Known}} props */
function Opened({ vtid, known }) {
  const task = /** @type {import("../types/page").Head} */ (known.task);
  const tab = route.value.query.get("tab") ?? "spec";
  const { reading, current, readCurrent } = useReading(vtid);
  const moved = reading && current && reading.hash !== current.hash;
  return html`
    <div class="state"><${Pill} look=${taskLook(task.status, known.brief)} label="Task" />${task.spec && html`<${Pill} look=${specLook(task.spec.state)} label="Spec" />`}</div>
    ${moved && html`<div class="banner moved" role="alert">
      <p><b>The spec changed while you were reading:</b> version ${current.version} by ${task.spec?.author} is current, you have version ${reading.version} before you.</p>
      <button type="button" class="primary" onClick=${() => (readCurrent(), go(withQuery({ tab: "versions", from: String(reading.version), to: String(current.version) }), { replace: true }))}>Read version ${current.version}</button>
    </div>`}
    <${Steps} vtid=${vtid} reading=${reading} />
    <${RunNow} vtid=${vtid} />
    <${Fields} vtid=${vtid} />
    <nav class="tabs" aria-label="Parts of the task">${Object.entries(TABS).map(([key, words]) => html`<${Link} key=${key} href=${withQuery({ tab: key === "spec" ? null : key, from: null, to: null, type: null, text: null })} aria-current=${tab === key ? "page" : undefined}>${words}</${Link}>`)}</nav>
    ${tab === "versions" ? html`<${Versions} vtid=${vtid} hash=${task.spec?.hash} />` : tab === "events" ? html`<${EventsOf} vtid=${vtid} />` : html`<${SpecText} vtid=${vtid} text=${reading?.text ?? null} />`}
  `;
}

/** @param {string} vtid */
const cardOf = (vtid) => /** @type {HTMLElement | null} */ (document.querySelector(`[data-vtid="${vtid}"]`));

/** @param {{route: import("../types/page").Route}} props */
export default function Drawer({ route: { id } }) {
  const vtid = /** @type {string} */ (id);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const known = cellOf(vtid).value;
  const read = () => {
    setProblem(null);
    load(vtid).catch(setProblem);
  };
  useEffect(read, [vtid]);
  useEffect(() => watch(vtid), [vtid]);
  useEffect(() => {
    heading.current?.focus();
    // However it is closed, by its button, a key or the browser's own back: the reader goes on at the card.
    return () => void setTimeout(() => document.activeElement === document.body && cardOf(vtid)?.focus());
  }, [vtid]);
  return html`<section class="drawer" aria-labelledby="drawer-title">
    <header>
      <div><span class="vtid">${vtid}</span><h2 id="drawer-title" tabindex="-1" ref=${heading}>${known.task?.title ?? vtid}</h2></div>
      <button type="button" class="close" aria-label="Close the drawer" onClick=${close}>✕</button>
    </header>
    ${problem && !known.task ? html`<${ProblemBox} problem=${problem} again=${read} what=${`${vtid} could not be read`} />` : !known.task ? html`<${Loading} />` : html`<${Opened} vtid=${vtid} known=${known} />`}
  </section>`;
}
