// bulk.js: the same move for every entry of one code, after a dry run that names each.

import { useEffect, useState } from "preact/hooks";
import { api } from "../api.js";
import { perform } from "../actions.js";
import { html } from "../html.js";
import { Button, Dialog, Field, Loading, ProblemBox } from "../parts.js";
import { Link } from "../route.js";
import { wordsOf } from "../run/decide.js";
import { whyNot } from "../session.js";
import { codeWords } from "../words.js";

const FOR_MANY = ["retry", "abandon"]; // what is the same for every run; the others name one pull request or rule
/** @type {Record<string, string>} */
const RESULTS = { done: "done", would: "would do", refused: "refused", failed: "failed", not_tried: "not tried" };

/** @param {{answer: any}} props */
const Results = ({ answer }) => html`<ul class="results">${answer.items.map((/** @type {any} */ each) => html`<li key=${each.id}>
  <${Link} href=${`/runs/${each.vtid}`}>${each.vtid}</${Link}> <b>${RESULTS[each.result] ?? each.result}</b>
  <span class="dim">${each.problem ? each.problem.detail : each.effects[0]}</span></li>`)}</ul>
  ${answer.remaining > 0 && html`<p class="dim">${answer.remaining} more are left for the next time.</p>`}`;

/** @param {{code: string, move: string, role: string, wanted: Record<string, string>, close: () => void}} props */
function BulkDialog({ code, move, role, wanted, close }) {
  const [reason, setReason] = useState("");
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const words = wordsOf(move);
  const body = { move, code, ...wanted };
  const decided = answer && !answer.dry_run;
  useEffect(() => {
    const leaving = new AbortController();
    api("POST", "/dead-letters/bulk", { body: { ...body, dry_run: true, reason: "dry run" }, signal: leaving.signal }).then(setAnswer, (error) => leaving.signal.aborted || setProblem(error));
    return () => leaving.abort();
  }, []);
  const decide = () => perform("bulk", async () => setAnswer(await api("POST", "/dead-letters/bulk", { body: { ...body, reason: reason.trim() }, timeout: 60_000 })), { did: `${words.label}: decided for every run with ${codeWords(code)}.` });
  const why = whyNot(role) ?? (move === "abandon" && !reason.trim() ? "Say why: it stands in every run's events." : null);
  return html`<${Dialog} title=${`${words.label}: all with ${codeWords(code)}`} onClose=${close}>
    ${move === "abandon" && !decided && html`<${Field} label="Reason">${(/** @type {string} */ id) => html`<textarea id=${id} rows="2" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea>`}</${Field}>`}
    <section class="preview" aria-live="polite"><h3>${decided ? "What was done" : "What would happen"}</h3>
      ${problem ? html`<${ProblemBox} problem=${problem} />` : answer ? html`<${Results} answer=${answer} />` : html`<${Loading} what="Asking" />`}</section>
    <div class="row">${!decided && html`<${Button} action="bulk" kind=${words.kind} label=${`${words.go}${answer ? ` (${answer.matched})` : ""}`} busy="Deciding …" why=${why} run=${decide} />`}
      <button type="button" onClick=${close}>${decided ? "Close" : "Not now"}</button></div>
  </${Dialog}>`;
}

/** @param {{letters: any[], query: URLSearchParams}} props */
export function Bulk({ letters, query }) {
  const [chosen, setChosen] = useState(/** @type {{code: string, move: string, role: string} | null} */ (null));
  /** @type {Map<string, any[]>} */
  const byCode = new Map();
  for (const letter of letters) byCode.set(letter.code, [...(byCode.get(letter.code) ?? []), letter]);
  const many = [...byCode].filter(([, those]) => those.length > 1);
  /** @type {Record<string, string>} */
  const wanted = {};
  for (const name of ["stage", "environment"]) if (query.get(name)) wanted[name] = /** @type {string} */ (query.get(name));
  if (many.length === 0 && !chosen) return null;
  return html`<section class="bulk" aria-label="Many at once">
    <ul>${many.map(([code, those]) => html`<li key=${code}><span><b>${codeWords(code)}</b> <span class="count">${those.length}</span></span>
      <span class="row">${those[0].moves.filter((/** @type {any} */ each) => FOR_MANY.includes(each.move)).map((/** @type {any} */ each) => html`<${Button} key=${each.move} action=${`bulk ${each.move} ${code}`} label=${`${wordsOf(each.move).go.split(" ")[0]} all …`} kind=${wordsOf(each.move).kind === "danger" ? "danger" : ""} why=${whyNot(each.role)} run=${() => setChosen({ code, move: each.move, role: each.role })} />`)}</span></li>`)}</ul>
    ${chosen && html`<${BulkDialog} ...${chosen} wanted=${wanted} close=${() => setChosen(null)} />`}
  </section>`;
}
