// card.js: one task on the board, in the order of what a reader asks: what, where does it stand, does it wait for me, why.

import { html } from "../html.js";
import { Countdown, Pill, When } from "../parts.js";
import { Link, withQuery } from "../route.js";
import { cellOf } from "../store.js";
import { codeWords, engineWarning, stageLook, taskLook } from "../words.js";

/** @param {{stages: import("../types/page").Stage[]}} props */
export const Dots = ({ stages }) => html`<ol class="dots" aria-label="Stages">
  ${stages.map(({ stage, status }) => {
    const { sign, words, kind } = stageLook(status);
    return html`<li class=${kind} title=${`${stage}: ${words}`}><i aria-hidden="true">${sign}</i> <span class="name">${stage}</span><span class="hidden">: ${words}</span></li>`;
  })}
</ol>`;

/** @param {{run: import("../types/page").BriefRun}} props */
function Standing({ run }) {
  const warning = engineWarning(run);
  return html`
    <${Dots} stages=${run.stages} />
    ${run.failure && html`<p class="code"><b>${codeWords(run.failure.code)}</b> <span>${run.failure.message}</span></p>`}
    ${!run.failure && run.waiting && html`<p class="waits"><span>waits for ${run.waiting.for}</span> <${Countdown} until=${run.waiting.until} /></p>`}
    ${warning && html`<p class="warning">${warning}</p>`}
  `;
}

/** @param {{vtid: string, current: boolean}} props */
export function Card({ vtid, current }) {
  const { task, brief } = cellOf(vtid).value;
  if (!task) return null;
  const look = taskLook(task.status, brief);
  // How long a person has been waited for says more than how long it runs.
  const waits = task.status === "blocked" ? brief?.waiting?.since : null;
  const at = brief?.ended_at ?? waits ?? brief?.started_at ?? task.updated_at;
  return html`<li class=${`card ${look.kind} ${current ? "current" : ""}`}>
    <div class="line"><span class="vtid">${vtid}</span><${Pill} look=${look} /><span class="age"><${When} at=${at} brief=${true} /></span></div>
    <h3><${Link} href=${withQuery({ tab: null }, `/tasks/${vtid}`)} class="whole" data-vtid=${vtid} aria-current=${current ? "true" : undefined}>${task.title}</${Link}></h3>
    ${brief ? html`<${Standing} run=${brief} />` : html`<p class="waits">${task.spec ? `spec version ${task.spec.version}: ${task.spec.state}` : "no spec yet"}</p>`}
    <p class="where"><span>${task.environment}</span>${task.priority < 3 && html`<span>priority ${task.priority}</span>`}${brief?.worker && html`<span>${brief.worker}</span>`}</p>
  </li>`;
}
