// decide.js: what a person may do with a blocked run. The server says which moves there are and what each would do.

import { useEffect, useState } from "preact/hooks";
import { api } from "../api.js";
import { isBusy, perform } from "../actions.js";
import { html } from "../html.js";
import { Button, Dialog, Field, Loading } from "../parts.js";
import { whyNot } from "../session.js";
import { cellOf, putRun } from "../store.js";
import { plain } from "../words.js";

/** @typedef {import("../types/page").Move & {rules?: string[]}} Move */

/** @type {Record<string, {label: string, title: string, go: string, kind: string}>} */
const WORDS = {
  retry: { label: "Retry the stage", title: "Begin the stage again?", go: "Retry", kind: "primary" },
  adopt: { label: "Adopt a pull request", title: "Take an existing pull request as evidence?", go: "Adopt", kind: "primary" },
  skip: { label: "Skip a rule", title: "Let one rule be?", go: "Skip the rule", kind: "danger" },
  abandon: { label: "Abandon", title: "End the run as a failure?", go: "Abandon the run", kind: "danger" },
};

// A move of a newer server is shown by its own name.
export const wordsOf = (/** @type {string} */ move) => WORDS[move] ?? { label: plain(move), title: `${plain(move)}?`, go: plain(move), kind: "danger" };

/** @type {Record<string, {label: string, hint: string}>} */
const PARAMS = {
  pr_url: { label: "Address of the pull request", hint: "Open or merged; it passes the same gates as any other." },
  reason: { label: "Reason", hint: "Stands in the events, in your name." },
  rule: { label: "Rule", hint: "It is recorded as skipped in verdict and proof." },
};

/** @param {{param: string, move: Move, value: string, set: (value: string) => void}} props */
function Param({ param, move, value, set }) {
  const { label, hint } = PARAMS[param] ?? { label: plain(param), hint: "" };
  const write = (/** @type {any} */ event) => set(event.target.value);
  return html`<${Field} label=${label} hint=${hint}>${(/** @type {string} */ id, /** @type {string} */ more) => {
    if (param === "rule" && move.rules) {
      return html`<select id=${id} aria-describedby=${more} onChange=${write}><option value="">Choose a rule</option>${move.rules.map((rule) => html`<option key=${rule} value=${rule} selected=${rule === value}>${rule}</option>`)}</select>`;
    }
    if (param === "reason") return html`<textarea id=${id} aria-describedby=${more} rows="2" value=${value} onInput=${write}></textarea>`;
    return html`<input id=${id} aria-describedby=${more} value=${value} onInput=${write} />`;
  }}</${Field}>`;
}

/** What the move would do, as the server says; nothing of it is done. @param {string} vtid @param {Move} move @param {Record<string, string>} values @param {boolean} ready */
function usePreview(vtid, move, values, ready) {
  const [preview, setPreview] = useState({ effects: /** @type {string[] | null} */ (null), problem: /** @type {Error | null} */ (null) });
  const text = JSON.stringify(values);
  useEffect(() => {
    if (!ready) return undefined;
    const leaving = new AbortController();
    const body = { move: move.move, dry_run: true, ...JSON.parse(text) };
    const timer = setTimeout(() => {
      api("POST", `/runs/${vtid}/rescue`, { body, signal: leaving.signal }).then(
        ({ effects }) => setPreview({ effects, problem: null }),
        (problem) => leaving.signal.aborted || setPreview({ effects: null, problem }),
      );
    }, 200); // not at every letter
    return () => (clearTimeout(timer), leaving.abort());
  }, [text, ready]);
  return preview;
}

/** @param {{vtid: string, move: Move, close: () => void}} props */
export function MoveDialog({ vtid, move, close }) {
  const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
  const words = wordsOf(move.move);
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim()).map(([name, value]) => [name, value.trim()]));
  const missing = move.params.filter((name) => !given[name]);
  const offered = Boolean(cellOf(vtid).value.run?.moves.some((each) => each.move === move.move));
  const key = `${move.move} ${vtid}`;
  // A reason changes no effect, so the effects are shown before one is given. What is being decided is not asked about.
  const { effects, problem } = usePreview(vtid, move, given, offered && !isBusy(key) && missing.every((name) => name === "reason"));
  const why = !offered ? "The run does not offer this any more." : (whyNot(move.role) ?? (missing.length > 0 ? `Still needed: ${missing.map((name) => PARAMS[name]?.label.toLowerCase() ?? plain(name)).join(", ")}.` : null));
  const decide = async () => {
    const work = async () => putRun(await api("POST", `/runs/${vtid}/rescue`, { body: { move: move.move, ...given } }), vtid);
    if (await perform(key, work, { did: `${vtid}: ${words.label.toLowerCase()}, decided in your name.` })) close();
  };
  return html`<${Dialog} title=${words.title} onClose=${close}>
    ${move.params.map((param) => html`<${Param} key=${param} param=${param} move=${move} value=${values[param] ?? ""} set=${(/** @type {string} */ value) => setValues({ ...values, [param]: value })} />`)}
    <section class="preview" aria-live="polite" aria-label="What would happen">
      <h3>What would happen</h3>
      ${problem ? html`<p class="wrong">${problem.message}</p>` : effects ? html`<ol>${effects.map((effect) => html`<li key=${effect}>${effect}</li>`)}</ol>` : !offered ? html`<p class="dim">Nothing: somebody decided, or the run went on.</p>` : missing.every((name) => name === "reason") ? html`<${Loading} what="Asking" />` : html`<p class="dim">Told as soon as the fields above are filled.</p>`}
    </section>
    <div class="row"><${Button} action=${key} kind=${words.kind} label=${words.go} busy="Deciding …" why=${why} run=${decide} /><button type="button" onClick=${close}>Not now</button></div>
  </${Dialog}>`;
}

/** Why the run stopped, and the moves that lead on. @param {{vtid: string, run: import("../types/page").Run}} props */
export function Decide({ vtid, run }) {
  const [chosen, setChosen] = useState(/** @type {Move | null} */ (null));
  // A question that is open stays, and says that it is answered: nothing vanishes under the reader's hands.
  if (run.moves.length === 0 && !chosen) return null;
  return html`<section class="decide" id="decide" tabindex="-1" aria-labelledby="decide-title">
    <h2 id="decide-title">Decide</h2>
    <div class="row">${run.moves.map((move) => html`<${Button} key=${move.move} action=${`choose ${move.move} ${vtid}`} kind=${wordsOf(move.move).kind === "danger" ? "danger" : ""} label=${wordsOf(move.move).label} why=${whyNot(move.role)} run=${() => setChosen(move)} />`)}</div>
    ${chosen && html`<${MoveDialog} vtid=${vtid} move=${chosen} close=${() => setChosen(null)} />`}
  </section>`;
}
