// workers.js: who is there: free, busy, suspect or gone, and doing what.

import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { connection, onEvent } from "../live.js";
import { Empty, Loading, Pill, ProblemBox, When } from "../parts.js";
import { useResource } from "../resource.js";
import { Link } from "../route.js";
import { plain } from "../words.js";

/**
 * @template {keyof import("../types/api").components["schemas"]} Name
 * @typedef {import("../types/page").Listed<Name>} Listed
 */

const LOOK_MS = 5000; // presence and heartbeats are no events, so they are asked for while somebody looks
const GONE_AFTER_SECONDS = 86_400;

/** @type {Record<string, import("../words.js").Look>} */
const STATES = {
  free: { sign: "○", words: "free", kind: "success" },
  busy: { sign: "▸", words: "busy", kind: "running" },
  suspect: { sign: "!", words: "suspect", kind: "error" },
  gone: { sign: "✗", words: "gone", kind: "cancelled" },
};
const lookOf = (/** @type {string} */ state) => STATES[state] ?? { sign: "?", words: plain(state), kind: "pending" };

/** @typedef {import("../types/page").Sent<"WorkOrder">} Order */

/** What was told last about the work. @param {Record<string, any> | null | undefined} progress */
const lately = (progress) => progress && (progress.note ?? progress.step ?? Object.values(progress).join(", "));

/** @param {{worker: import("../types/page").Sent<"Worker">, order: Order | undefined}} props */
function Worker({ worker, order }) {
  const lease = order?.lease;
  const state = lease?.suspect ? "suspect" : worker.state;
  const progress = lately(lease?.progress);
  return html`<tr>
    <th scope="row">${worker.worker_id}</th>
    <td><${Pill} look=${lookOf(state)} label="State" /></td>
    <td>${worker.vtid ? html`<${Link} href=${`/runs/${worker.vtid}#WORKER`}><span class="vtid">${worker.vtid}</span></${Link}>${lease && html` <span class="dim">attempt ${lease.attempt}</span>`}` : html`<span class="dim">nothing</span>`}${progress && html`<small class="dim">${progress}</small>`}</td>
    <td>${lease?.last_beat_at ? html`<${When} at=${lease.last_beat_at} />` : html`<span class="dim">–</span>`}</td>
    <td><${When} at=${worker.last_seen} /></td>
  </tr>`;
}

/** @param {{orders: Order[]}} props */
const Waiting = ({ orders }) => html`<section aria-labelledby="waiting"><h2 id="waiting">Orders that wait</h2>
  <div class="scroll" tabindex="0" role="group" aria-label="Orders that wait"><table>
    <thead><tr><th scope="col">Task</th><th scope="col">Offer</th><th scope="col">Its worker must be capable of</th><th scope="col">Offered</th></tr></thead>
    <tbody>${orders.map((order) => html`<tr key=${order.order_id}>
      <th scope="row"><${Link} href=${`/runs/${order.vtid}#WORKER`}><span class="vtid">${order.vtid}</span></${Link}>${order.kind !== "build" && html` <span class="dim">${order.kind}</span>`}</th>
      <td class="num">${order.offer}</td>
      <td>${order.requires.length > 0 ? order.requires.map((each, at) => html`${at > 0 && ", "}<code>${each}</code>`) : html`<span class="dim">nothing special</span>`}</td>
      <td><${When} at=${order.created_at} /></td>
    </tr>`)}</tbody>
  </table></div></section>`;

export default function Workers() {
  const { value, problem, loading, again } = useResource(`/workers?seen_within_seconds=${GONE_AFTER_SECONDS}`);
  const held = useResource("/work-orders?state=claimed&limit=500");
  const ready = useResource("/work-orders?state=offered&limit=500");
  const look = () => (again(), held.again(), ready.again());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || connection.peek().state !== "live" || look(), LOOK_MS);
    const stop = onEvent(({ event }) => /^(work_order|worker|attempt)\./.test(event.type) && look());
    return () => (clearInterval(timer), stop());
  }, []);
  const orders = new Map((/** @type {Listed<"WorkOrder">} */ (held.value)?.items ?? []).map((order) => [order.order_id, order]));
  const workers = /** @type {Listed<"Worker">} */ (value)?.items ?? [];
  const count = (/** @type {string} */ state) => workers.filter((each) => each.state === state).length;
  const waiting = /** @type {Listed<"WorkOrder">} */ (ready.value)?.items ?? [];
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Workers</h1>
    ${value && html`<p class="dim">${count("free")} free, ${count("busy")} busy${count("gone") > 0 && `, ${count("gone")} gone`}${ready.value && (waiting.length > 0 ? `; ${waiting.length} ${waiting.length === 1 ? "order waits" : "orders wait"} for a worker` : "; no order waits")}.</p>`}
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && workers.length === 0 && html`<${Empty} title="No worker was seen in the last day"><p>Start one; the first call of a worker makes it appear here.</p><pre>vtid agent --command "claude -p"</pre></${Empty}>`}
    ${workers.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Workers"><table>
      <thead><tr><th scope="col">Worker</th><th scope="col">State</th><th scope="col">Doing</th><th scope="col">Last heartbeat</th><th scope="col">Last seen</th></tr></thead>
      <tbody>${workers.map((worker) => html`<${Worker} key=${worker.worker_id} worker=${worker} order=${orders.get(worker.holding ?? "")} />`)}</tbody>
    </table></div>`}
    ${waiting.length > 0 && html`<${Waiting} orders=${waiting} />`}
  </main>`;
}
