// letter.js: one dead letter: why the run stopped, what led to it, what it did so far, and the moves.

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { At, Button, Countdown, Message, Raw, When } from "../parts.js";
import { Link } from "../route.js";
import { MoveDialog, wordsOf } from "../run/decide.js";
import { whyNot } from "../session.js";
import { load } from "../store.js";
import { codeWords, plain } from "../words.js";

/** @param {{causes: {type: string, message: string}[]}} props */
const Causes = ({ causes }) =>
  causes.length > 0 &&
  html`<section><h3>What led to it</h3><ol class="chain">${causes.map((cause, at) => html`<li key=${at}><code>${cause.type}</code> ${cause.message}</li>`)}</ol></section>`;

/** @param {{effects: {kind: string, says: string, at: string, url: string | null}[]}} props */
const SideEffects = ({ effects }) => html`<section><h3>What it did so far</h3>
  ${effects.length === 0 ? html`<p class="dim">Nothing outside this system.</p>` : html`<ul class="done">${effects.map((effect) => html`<li key=${effect.says}>
    <b>${plain(effect.kind)}</b> <span>${effect.says}${effect.url && html` · <a href=${effect.url} rel="noreferrer">look</a>`}</span> <${When} at=${effect.at} brief=${true} /></li>`)}</ul>`}
</section>`;

/** @param {{letter: any}} props */
function Moves({ letter }) {
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  // The dialog asks the run itself, as it stands now, whether the move is still offered.
  useEffect(() => void (chosen && load(letter.vtid)), [chosen]);
  if (letter.moves.length === 0) return null;
  return html`<section><h3>What you can do</h3>
    <ul class="moves">${letter.moves.map((/** @type {any} */ move) => html`<li key=${move.move}>
      <${Button} action=${`choose ${move.move} ${letter.vtid}`} label=${wordsOf(move.move).label} kind=${wordsOf(move.move).kind === "danger" ? "danger" : ""} why=${whyNot(move.role)} run=${() => setChosen(move)} />
      <details><summary>what it would do</summary><ol>${(move.effects ?? []).map((/** @type {string} */ effect) => html`<li key=${effect}>${effect}</li>`)}</ol></details>
    </li>`)}</ul>
    ${chosen && html`<${MoveDialog} vtid=${letter.vtid} move=${chosen} close=${() => setChosen(null)} />`}
  </section>`;
}

/** @param {{letter: any}} props */
const Ended = ({ letter }) =>
  letter.state !== "open" &&
  html`<p class="note">Resolved by <b>${letter.resolved_by || "the system"}</b>: ${plain(letter.resolution ?? "")}${letter.resolved_at && html`, <${At} at=${letter.resolved_at} />`}</p>`;

/** @param {{letter: any, unfolded?: boolean}} props */
export function Letter({ letter, unfolded = false }) {
  return html`<article class=${`letter ${letter.state === "open" ? "blocked" : "pending"}`} aria-labelledby=${`letter-${letter.id}`}>
    <header>
      <h2 id=${`letter-${letter.id}`}><${Link} href=${`/runs/${letter.vtid}`}><span class="vtid">${letter.vtid}</span> ${letter.title}</${Link}></h2>
      <p class="facts dim"><span>${letter.stage}${letter.step && ` · ${plain(letter.step)}`}</span>${letter.attempt && html`<span>attempt ${letter.attempt}</span>`}<span>blocked <${When} at=${letter.since} /></span>${letter.until && letter.state === "open" && html`<${Countdown} until=${letter.until} />`}</p>
    </header>
    <div class="why-it"><b>${codeWords(letter.code)}</b> <${Link} href=${`/failure-codes#${letter.code}`}><code>${letter.code}</code></${Link}> <${Message} text=${letter.message} /></div>
    ${letter.advice && html`<p><b>What to do:</b> ${letter.advice}.</p>`}
    <${Ended} letter=${letter} />
    <${Moves} letter=${letter} />
    <details open=${unfolded}><summary>Causes, side effects and inputs</summary>
      <div class="under"><${Causes} causes=${letter.causes ?? []} /><${SideEffects} effects=${letter.side_effects ?? []} /><${Raw} value=${letter.inputs} label="what the stage worked from" /></div>
    </details>
  </article>`;
}
