// statistics.js: how long stages take, how runs end, how soon faults are named, how many runs a day.

import { html } from "../html.js";
import { Empty, Loading, ProblemBox } from "../parts.js";
import { useResource } from "../resource.js";
import { Link, route } from "../route.js";
import { codeWords, plain } from "../words.js";
import { Days, Spans, within } from "./chart.js";
import { Choice } from "./choice.js";

/** @typedef {import("../types/api").components["schemas"]["Statistics"]} Statistics */

const DAY_MS = 86_400_000;
const SPANS = { 7: "7 days", 30: "30 days", 90: "90 days", 365: "a year" };
const DETECTIONS = { not_picked_up: "nobody takes an order", worker_lost: "a worker falls silent", claim_refuted: "a claim is not true", checks_red: "checks are red", deploy_unproven: "a deployment does not hold" };
const ENDS = { completed: "proven", blocked: "blocked", rejected: "failed", cancelled: "cancelled" };
/** @type {Record<string, string>} */
const FAULT = { success: "nobody", failure: "the change", error: "a system", timeout: "time", cancellation: "a person" };

/** @param {{told: Statistics}} props */
function Endings({ told }) {
  const most = Math.max(1, ...told.outcomes.map((each) => each.count));
  return html`<table class="chart endings"><caption class="hidden">How runs ended</caption>
    <thead><tr><th scope="col">How</th><th scope="col">At fault</th><th scope="col" class="drawn"><span class="hidden">Chart</span></th><th scope="col">runs</th></tr></thead>
    <tbody>${told.outcomes.map((each) => html`<tr key=${`${each.status} ${each.code}`}>
      <th scope="row">${each.code ? html`<${Link} href=${`/failure-codes#${each.code}`}>${codeWords(each.code)}</${Link}>` : (ENDS[/** @type {keyof typeof ENDS} */ (each.status)] ?? plain(each.status))}</th>
      <td class="dim">${FAULT[each.outcome] ?? each.outcome}</td>
      <td class="drawn"><svg width="100%" height="14" aria-hidden="true"><rect class=${each.status} width=${`${(each.count / most) * 100}%`} height="14" rx="3" /></svg></td>
      <td class="num">${each.count}</td></tr>`)}</tbody></table>`;
}

/** @param {{told: Statistics}} props */
function Figures({ told }) {
  const proven = told.outcomes.filter((each) => each.status === "completed").reduce((all, each) => all + each.count, 0);
  const whole = told.stages.find((each) => each.stage === "run");
  const days = told.days.map((each) => ({ day: each.day, parts: /** @type {const} */ (["completed", "blocked", "rejected", "cancelled"]).map((kind) => ({ kind, count: each[kind] })) }));
  const detection = told.detection.map((each) => ({ name: /** @type {Record<string, string>} */ (DETECTIONS)[each.name] ?? plain(each.name), says: each.says, count: each.count, p50: each.p50_seconds, p95: each.p95_seconds, limit: each.limit_seconds }));
  const stages = told.stages.map((each) => ({ name: each.stage === "run" ? "the whole run" : each.stage, count: each.count, p50: each.p50_seconds, p95: each.p95_seconds }));
  return html`
    ${told.truncated && html`<p class="note">There is more than is read at once: the newest runs are counted.</p>`}
    <dl class="sums">
      <div><dt>runs ended</dt><dd>${told.runs}</dd></div>
      <div><dt>proven</dt><dd>${proven}${told.runs > 0 && html` <small>${Math.round((proven / told.runs) * 100)} %</small>`}</dd></div>
      <div><dt>began</dt><dd>${told.days.reduce((all, each) => all + each.started, 0)}</dd></div>
      <div><dt>half are proven within</dt><dd>${whole?.p50_seconds == null ? "–" : within(whole.p50_seconds)}</dd></div>
    </dl>
    <section><h2>Runs a day</h2><${Days} label="How many runs were proven, blocked, failed or cancelled on each day" days=${days} words=${ENDS} /></section>
    <section><h2>How long stages take</h2><p class="dim">From a stage's begin to its success.</p><div class="scroll" tabindex="0" role="group" aria-label="Stage durations"><${Spans} label="Stage durations" rows=${stages} /></div></section>
    <section><h2>How runs end</h2><div class="scroll" tabindex="0" role="group" aria-label="How runs end"><${Endings} told=${told} /></div></section>
    <section><h2>How soon a fault is named</h2><p class="dim">From the moment it could be seen to the event that names it; the line is the limit.</p><div class="scroll" tabindex="0" role="group" aria-label="Detection times"><${Spans} label="Detection times" rows=${detection} /></div></section>`;
}

export default function StatisticsPage() {
  const { query } = route.value;
  const days = Number(query.get("days")) || 30;
  const { value: environments } = useResource("/environments");
  const since = new Date(Math.floor((Date.now() - days * DAY_MS) / DAY_MS) * DAY_MS).toISOString();
  const environment = query.get("environment");
  const { value, problem, loading, again } = useResource(`/statistics?since=${since}${environment ? `&environment=${encodeURIComponent(environment)}` : ""}`);
  return html`<main id="main" class="page statistics" tabindex="-1">
    <h1>Statistics</h1>
    <form class="filters" aria-label="What is counted" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Choice} name="days" label="Since" all="30 days" options=${Object.entries(SPANS).filter(([each]) => each !== "30")} />
      <${Choice} name="environment" label="Environment" all="all" options=${(environments?.items ?? []).map((/** @type {any} */ each) => [each.name, each.name])} />
    </form>
    ${loading && html`<${Loading} what="Counting" />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && (value.runs === 0 && value.days.every((/** @type {any} */ each) => each.started === 0) ? html`<${Empty} title="No run in this time"><p>Choose a longer time, or another environment.</p></${Empty}>` : html`<${Figures} told=${value} />`)}
  </main>`;
}
