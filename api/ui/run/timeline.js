// timeline.js: the four stages on one axis of time, with their steps, attempts, durations and limits.

import { now } from "../clock.js";
import { html } from "../html.js";
import { Pill } from "../parts.js";
import { useResource } from "../resource.js";
import { clockTime, day, exact, local, measured, utc } from "../time.js";
import { plain, stageLook } from "../words.js";
import { periodsOf } from "./history.js";
import { scaleOf } from "./scale.js";

const STAGES = ["PLANNER", "WORKER", "VALIDATOR", "DEPLOY"];
/** The step whose limit has another name. @type {Record<string, string>} */
const LIMIT_OF = { lease: "hold_lease" };
const LEAST_PERCENT = 0.6; // so that what took no time can be seen

/** @typedef {import("./scale.js").Scale} Scale */

/** @param {string | null} at */
const moment = (at) => (at ? Date.parse(at) : now.value);

/** @param {string} from @param {string | null} to */
const millis = (from, to) => moment(to) - Date.parse(from);

/** @param {{place: Scale, from: string, to: string | null, kind: string}} props */
function Bar({ place, from, to, kind }) {
  const left = Math.min(100 - LEAST_PERCENT, place(Date.parse(from)) * 100);
  const width = Math.min(100 - left, Math.max(LEAST_PERCENT, place(moment(to)) * 100 - left));
  return html`<span class="track" aria-hidden="true"><span class=${`bar ${kind}`} style=${{ left: `${left}%`, width: `${width}%` }}></span></span>`;
}

/** What a step may take, from the table that the run carries. @param {any} limit */
function limitWords(limit) {
  if (!limit) return null;
  const parts = [
    limit.one_try_seconds && `one try ${exact(limit.one_try_seconds)}`,
    limit.budget_seconds && limit.budget_seconds !== limit.one_try_seconds && `in all ${exact(limit.budget_seconds)}`,
    limit.tries > 1 && `${limit.tries} tries`,
    limit.heartbeat_seconds && `silence ${exact(limit.heartbeat_seconds)}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : null;
}

/** @param {{step: import("./history.js").Step, place: Scale, limit: any, kind: string}} props */
function Step({ step, place, limit, kind }) {
  const words = limitWords(limit);
  const most = limit?.budget_seconds ?? limit?.one_try_seconds;
  return html`<li><details>
    <summary>
      <span class="name">${plain(step.name)}${step.attempt && step.attempt > 1 ? html` <span class="dim">attempt ${step.attempt}</span>` : ""}</span>
      <${Bar} place=${place} from=${step.from} to=${step.to} kind=${step.name === "blocked" ? "blocked" : step.to ? "done" : kind} />
      <span class="num spent">${measured(millis(step.from, step.to))}${!step.to && most ? html` <span class="most">of ${exact(most)}</span>` : ""}</span>
    </summary>
    <dl>
      <div><dt>From</dt><dd title=${utc(step.from)}>${local(step.from)}</dd></div>
      ${step.to && html`<div><dt>To</dt><dd title=${utc(step.to)}>${local(step.to)}</dd></div>`}
      <div><dt>Limit</dt><dd>${words ? html`${words}${limit.why && html` <span class="dim">· ${limit.why}</span>`}` : "none of its own"}</dd></div>
      ${step.waits > 0 && html`<div><dt>Waited</dt><dd>${step.waits === 1 ? "once" : `${step.waits} times`}</dd></div>`}
      ${step.notes.length > 0 && html`<div><dt>Told</dt><dd>${step.notes.map((note) => html`<span class="told">${note}</span>`)}</dd></div>`}
      <div><dt>Event</dt><dd><a href=${`#event-${step.position}`}>in the log</a></dd></div>
    </dl>
  </details></li>`;
}

/** @param {{name: string, stage: import("../types/page").Stage | undefined, periods: import("./history.js").Period[], place: Scale, limits: Map<string, any>}} props */
function StageRow({ name, stage, periods, place, limits }) {
  const look = stageLook(stage?.status ?? "pending");
  const spent = periods.reduce((sum, each) => sum + millis(each.from, each.to), 0);
  return html`<li class=${`stage ${look.kind}`} id=${name} tabindex="-1">
    <div class="head">
      <h3>${name} <${Pill} look=${look} /></h3>
      <span class="dim">${[stage?.why ?? (stage?.attempt && stage.attempt > 1 && `attempt ${stage.attempt}`), periods.length > 1 && `${periods.length} rounds`].filter(Boolean).join(" · ")}</span>
      <span class="num spent">${periods.length > 0 ? measured(spent) : ""}</span>
    </div>
    ${periods.map((period) => html`<div class="round" key=${period.position}>
      ${periods.length > 1 && html`<p class=${`rounds ${stageLook(period.status).kind}`}>Round ${period.round}: <b><i aria-hidden="true">${stageLook(period.status).sign}</i> ${stageLook(period.status).words}</b></p>`}
      <ol>${period.steps.map((step) => html`<${Step} key=${step.position} step=${step} place=${place} limit=${limits.get(LIMIT_OF[step.name] ?? step.name)} kind=${look.kind} />`)}</ol>
    </div>`)}
  </li>`;
}

/** From when to when: the time alone where both are of today, or nobody knew the day. @param {string} from @param {string | null} to */
function spanOf(from, to) {
  const today = day(from) === day(new Date(now.value).toISOString());
  return `${today ? clockTime(from) : local(from)} – ${to === null ? "now" : day(from) === day(to) ? clockTime(to) : local(to)}`;
}

/** @param {{run: import("../types/page").Run, events: import("../types/page").LoggedEvent[]}} props */
export function Timeline({ run, events }) {
  const limits = useResource(run.environment ? `/limits?environment=${encodeURIComponent(run.environment)}` : "/limits").value?.items ?? [];
  const named = new Map(limits.map((/** @type {any} */ each) => [each.name, each]));
  const periods = periodsOf(events.filter((event) => event.run_id === run.run_id));
  const from = Date.parse(periods[0]?.from ?? run.started_at ?? new Date(now.value).toISOString());
  const to = moment(run.ended_at);
  const waits = periods.flatMap(({ steps }) => steps.filter(({ name }) => name === "blocked").map((step) => ({ from: Date.parse(step.from), to: moment(step.to) })));
  const { place, bent } = scaleOf(from, to, waits);
  return html`<section class="timeline" aria-labelledby="timeline">
    <h2 id="timeline">Stages <span class="dim scale">${spanOf(new Date(from).toISOString(), run.ended_at)}, ${measured(to - from)}${bent && ", the wait for a decision is drawn shorter"}</span></h2>
    <ol class="stages">${STAGES.map((name) => html`<${StageRow} key=${name} name=${name} stage=${run.stages.find((each) => each.stage === name)} place=${place} limits=${named}
      periods=${periods.filter((each) => each.stage === name)} />`)}</ol>
  </section>`;
}
