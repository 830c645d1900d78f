// parts.js: the small things that every view is made of.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { isBusy } from "./actions.js";
import { now } from "./clock.js";
import { html } from "./html.js";
import { duration, left, local, secondsSince, short, utc } from "./time.js";

/** How long ago; on hover the reader's time and the exact one in UTC. @param {{at: string | null | undefined, brief?: boolean}} props */
export function When({ at, brief = false }) {
  if (!at) return null;
  const age = (brief ? short : duration)(secondsSince(at, now.value));
  return html`<time datetime=${at} title=${`${local(at)}\n${utc(at)}`}>${age}${brief ? "" : " ago"}</time>`;
}

/** A moment in the reader's zone; on hover in UTC. @param {{at: string}} props */
export const At = ({ at }) => html`<time datetime=${at} title=${utc(at)}>${local(at)}</time>`;

/** How long until a deadline. @param {{until: string | null | undefined}} props */
export function Countdown({ until }) {
  if (!until) return null;
  const { text, late } = left(until, now.value);
  return html`<span class=${`left ${late ? "late" : ""}`} title=${`${local(until)}\n${utc(until)}`}>${text}</span>`;
}

/** A state with its sign, its word and its colour. @param {{look: import("./words.js").Look, label?: string}} props */
export const Pill = ({ look, label }) =>
  html`<span class=${`pill ${look.kind}`}><i aria-hidden="true">${look.sign}</i> ${label && html`<span class="hidden">${label}: </span>`}${look.words}</span>`;

/**
 * For what it waits, since when, until when, and who can move it.
 * @param {{waiting: import("./types/page").Waiting, brief?: boolean}} props
 */
export function Waiting({ waiting, brief = false }) {
  const since = waiting.since && duration(secondsSince(waiting.since, now.value));
  return html`<p class=${`waiting ${brief ? "brief" : ""}`}>
    <span>Waits for <b>${waiting.for}</b>${since && html` · for <span class="num">${since}</span>`}${!brief && waiting.who && html` · <b>${waiting.who}</b> can move it`}</span>
    <${Countdown} until=${waiting.until} />
  </p>`;
}

/**
 * A button for one action. What cannot be pressed stays reachable and says why.
 * @param {{action: string, label: unknown, busy?: string, why?: string | null, run: () => void, kind?: string}} props
 */
export function Button({ action, label, busy = "Working …", why = null, run, kind = "" }) {
  const id = useId();
  const running = isBusy(action);
  const press = () => running || why || run();
  return html`<span class="action">
    <button type="button" class=${kind} aria-disabled=${running || why ? "true" : undefined} aria-busy=${running ? "true" : undefined}
      aria-describedby=${why ? id : undefined} onClick=${press}>
      ${running ? html`<span class="spinner" aria-hidden="true"></span> ${busy}` : label}
    </button>
    ${why && html`<small class="why" id=${id}>${why}</small>`}
  </span>`;
}

/** @param {{problem: Error, again?: () => void, what?: string}} props */
export const ProblemBox = ({ problem, again, what = "This could not be read" }) =>
  html`<div class="problem" role="alert">
    <p><b>${what}:</b> ${problem.message}</p>
    ${/** @type {any} */ (problem).code && html`<p class="dim"><code>${/** @type {any} */ (problem).code}</code></p>`}
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;

/** @param {{what?: string}} props */
export const Loading = ({ what = "Reading" }) => html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span> ${what} …</p>`;

/** @param {{title: string, children?: unknown}} props */
export const Empty = ({ title, children }) => html`<div class="empty"><p><b>${title}</b></p>${children}</div>`;

const MUCH = 400; // characters, some four lines

/** A message that somebody else wrote, as it was written. A very long one is folded: what can be done about it stands below. @param {{text: string}} props */
export const Message = ({ text }) =>
  text.length <= MUCH ? html`<span class="message">${text}</span>` : html`<span class="message">${text.slice(0, MUCH - 100)} …</span><details><summary>The whole message</summary><span class="message">${text}</span></details>`;

const COPY = html`<svg viewBox="0 0 16 16" width="12" height="12" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" /></svg>`;

/** An id or hash that can be copied. @param {{text: string, show?: string, what: string}} props */
export function Copy({ text, show = text, what }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Without a secure origin there is no clipboard; the text can still be selected.
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<button type="button" class="copy" title=${text} aria-label=${`Copy ${what} ${show}`} onClick=${copy}><code>${show}</code> ${copied ? html`<span aria-hidden="true">✓</span>` : COPY}</button>`;
}

/** What stands behind a sentence, as it was answered. @param {{value: unknown, label?: string, of?: string}} props `of`: what it belongs to, for who hears only this */
export const Raw = ({ value, label = "raw answer", of }) =>
  html`<details class="raw"><summary>${label}${of && html`<span class="hidden"> of ${of}</span>`}</summary><pre tabindex="0" aria-label=${of ? `${label} of ${of}` : label}>${JSON.stringify(value, null, 2)}</pre></details>`;

/**
 * A modal question. The browser keeps the focus in it, Escape closes it, and the focus goes back.
 * @param {{title: string, onClose: () => void, children?: unknown}} props
 */
export function Dialog({ title, onClose, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const asked = document.activeElement;
    box.current?.showModal();
    // What is asked for can be written at once; without a field the browser's own choice stands.
    /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector("input, textarea, select"))?.focus();
    // What asked may be gone by now: the run went on, and its buttons with it.
    return () => /** @type {HTMLElement | null} */ (asked?.isConnected ? asked : document.getElementById("main"))?.focus();
  }, []);
  return html`<dialog ref=${box} aria-labelledby=${id} onClose=${onClose} onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && box.current?.close()}>
    <div class="asked">
      <div class="head"><h2 id=${id}>${title}</h2><button type="button" class="close" aria-label="Close" onClick=${() => box.current?.close()}>✕</button></div>
      ${children}
    </div>
  </dialog>`;
}

/** A labelled field; what is wrong with it stands beside it. @param {{label: string, hint?: unknown, wrong?: string | null, children: (id: string, described: string | undefined) => unknown}} props */
export function Field({ label, hint, wrong, children }) {
  const id = useId();
  const described = wrong || hint ? `${id}-more` : undefined;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children(id, described)}
    ${(wrong || hint) && html`<small id=${described} class=${wrong ? "wrong" : "hint"}>${wrong ?? hint}</small>`}
  </div>`;
}
