// run.js: one run, so that a reader sees what happens, what it waits for, why it stopped, and what is proven.

import { useEffect, useState } from "preact/hooks";
import { announce } from "../actions.js";
import { api } from "../api.js";
import { html } from "../html.js";
import { connection } from "../live.js";
import { At, Copy, Empty, Loading, Message, Pill, ProblemBox, Waiting, When } from "../parts.js";
import { Link, route } from "../route.js";
import { cellOf, load, putRun, watch } from "../store.js";
import { brief, codeWords, engineWarning, stageLook, taskLook } from "../words.js";
import { CancelButton } from "./cancel.js";
import { Decide } from "./decide.js";
import { EventLog } from "./events.js";
import { Evidence } from "./evidence.js";
import { Lease } from "./lease.js";
import { useLog } from "./log.js";
import { Proof } from "./proof.js";
import { Repair } from "./repair.js";
import { Timeline } from "./timeline.js";
import { Verdict } from "./verdict.js";

/** @typedef {import("../types/page").Run} Run */

const BEAT_LOOK_MS = 10_000; // heartbeats are no events, so their age is asked for while somebody looks

/** @type {Record<string, string>} */
const LINKS = { pr: "Pull request", checks: "Checks", deploy_run: "Deploy run", temporal: "Temporal" };

/** @param {{run: Run}} props */
const Links = ({ run }) => html`<ul class="links" aria-label="Links">
  ${Object.entries(LINKS).filter(([key]) => run.links[key]).map(([key, words]) => html`<li key=${key}><a href=${run.links[key]} rel="noreferrer">${words} <span aria-hidden="true">↗</span></a></li>`)}
  ${run.links.pr && !run.links.checks && html`<li><a href=${`${run.links.pr}/checks`} rel="noreferrer">Checks <span aria-hidden="true">↗</span></a></li>`}
  <li><a href=${run.links.self}>API</a></li>
</ul>`;

/** @param {{run: Run}} props */
function Failure({ run }) {
  const { failure } = run;
  if (!failure) return null;
  return html`<section class="failed" aria-labelledby="failure">
    <h2 id="failure">${codeWords(failure.code)} <${Link} class="code" href=${`/failure-codes#${failure.code}`}><code>${failure.code}</code></${Link}></h2>
    <div><${Message} text=${failure.message} /></div>
    ${failure.advice && html`<p><b>What to do:</b> ${failure.advice}.${run.ended_at && /\bretry\b/.test(failure.advice) && " This run is over, so the task is started again in place of a retry."}</p>`}
    ${failure.causes && failure.causes.length > 0 && html`<details><summary>Causes (${failure.causes.length})</summary><ol>${failure.causes.map((cause, at) => html`<li key=${at}><code>${cause.type}</code> ${cause.message}</li>`)}</ol></details>`}
  </section>`;
}

/** @param {{run: Run}} props */
function Heading({ run }) {
  const warning = engineWarning(run);
  return html`<header class="heading">
    <p class="crumbs"><${Link} href="/">Board</${Link}> / <${Link} href=${`/tasks/${run.vtid}`}>${run.vtid}</${Link}> / run</p>
    <div class="row spread"><h1>${run.title || run.vtid} <${Pill} look=${taskLook(run.status, run)} label="Run" /></h1><${CancelButton} vtid=${run.vtid} /></div>
    <p class="dim facts">
      <span>${run.repository} → <b>${run.environment}</b></span>
      ${run.started_at && html`<span>started <${When} at=${run.started_at} /></span>`}
      ${run.ended_at && html`<span>ended <${When} at=${run.ended_at} /></span>`}
      ${run.spec_hash && html`<span>spec <${Copy} text=${run.spec_hash} show=${brief(run.spec_hash)} what="hash" /></span>`}
      ${run.run_id && html`<span>run <${Copy} text=${run.run_id} show=${run.run_id.slice(0, 8)} what="run id" /></span>`}
    </p>
    <${Links} run=${run} />
    ${warning && html`<p class="banner" role="alert">${warning}</p>`}
    ${run.note && html`<p class="note">${run.note}</p>`}
    ${run.waiting && html`<${Waiting} waiting=${run.waiting} />`}
  </header>`;
}

/** Read the clocks of the lease while a worker holds one. @param {string} vtid @param {boolean} works */
function useBeats(vtid, works) {
  useEffect(() => {
    if (!works) return undefined;
    // A look that fails is told by the connection; the next one comes by itself.
    const look = () => document.hidden || connection.peek().state !== "live" || void api("GET", `/runs/${vtid}`).then((run) => putRun(run, vtid), () => {});
    look();
    const timer = setInterval(look, BEAT_LOOK_MS);
    return () => clearInterval(timer);
  }, [vtid, works]);
}

/** Say to those who do not see it when a stage moves. @param {Run} run */
function useAnnouncements(run) {
  const standing = run.stages.map(({ stage, status }) => `${stage} ${stageLook(status).words}`).join(", ");
  useEffect(() => {
    const now = run.stages.find(({ stage }) => stage === run.stage);
    announce(`${run.vtid}: ${run.stage} ${stageLook(now?.status ?? "").words}`);
  }, [standing]);
}

/** @param {{vtid: string, run: Run}} props */
function Opened({ vtid, run }) {
  const log = useLog(vtid);
  const anchor = route.value.hash;
  useBeats(vtid, Boolean(run.worker) && run.stage === "WORKER" && !run.outcome);
  useAnnouncements(run);
  useEffect(() => {
    const found = anchor && !anchor.startsWith("event-") && document.getElementById(anchor);
    if (found) (found.scrollIntoView({ block: "start" }), found.focus({ preventScroll: true }));
  }, [anchor, log.events === null]);
  return html`<main id="main" class="run" tabindex="-1">
    <${Heading} run=${run} />
    <${Failure} run=${run} />
    <${Decide} vtid=${vtid} run=${run} />
    <${Lease} run=${run} />
    <${Repair} run=${run} />
    <${Timeline} run=${run} events=${log.events ?? []} />
    <div class="two"><${Evidence} run=${run} /><${Proof} run=${run} /></div>
    <${Verdict} run=${run} />
    <section aria-labelledby="log"><h2 id="log">Events</h2><${EventLog} log=${log} runId=${run.run_id} /></section>
    <p class="dim">As of <${At} at=${run.as_of} />, log position ${run.position}.</p>
  </main>`;
}

/** @param {{route: import("../types/page").Route}} props */
export default function RunPage({ route: { id } }) {
  const vtid = /** @type {string} */ (id);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const { task, run } = cellOf(vtid).value;
  const read = () => {
    setProblem(null);
    load(vtid).catch(setProblem);
  };
  useEffect(read, [vtid]);
  useEffect(() => watch(vtid), [vtid]);
  if (run) return html`<${Opened} vtid=${vtid} run=${run} />`;
  return html`<main id="main" class="run" tabindex="-1"><h1>${vtid}</h1>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${read} what=${`${vtid} could not be read`} />` : !task ? html`<${Loading} /> ` : html`<${Empty} title="This task was not started yet"><p><${Link} href=${`/tasks/${vtid}`}>Open the task</${Link}> to validate, approve and start it.</p></${Empty}>`}
  </main>`;
}
