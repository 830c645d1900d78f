// workers.js: who is there: free, busy, suspect or gone, and doing what.

import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { connection, onEvent } from "../live.js";
import { Empty, Loading, Pill, ProblemBox, When } from "../parts.js";
import { useResource } from "../resource.js";
import { Link } from "../route.js";
import { plain } from "../words.js";

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

/** @param {{worker: any, order: any}} props */
function Worker({ worker, order }) {
  const lease = order?.lease;
  const state = lease?.suspect ? "suspect" : worker.state;
  const progress = lease?.progress ? (lease.progress.note ?? lease.progress.step ?? Object.values(lease.progress).join(", ")) : null;
  return html`<tr>
    <th scope="row">${worker.worker_id}</th>
    <td><${Pill} look=${lookOf(state)} label="State" /></td>
    <td>${worker.vtid ? html`<${Link} href=${`/runs/${worker.vtid}#WORKER`}><span class="vtid">${worker.vtid}</span></${Link}>${lease && html` <span class="dim">attempt ${lease.attempt}</span>`}` : html`<span class="dim">nothing</span>`}${progress && html`<small class="dim">${progress}</small>`}</td>
    <td>${lease?.last_beat_at ? html`<${When} at=${lease.last_beat_at} />` : html`<span class="dim">–</span>`}</td>
    <td><${When} at=${worker.last_seen} /></td>
  </tr>`;
}

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
  const orders = new Map((held.value?.items ?? []).map((/** @type {any} */ order) => [order.order_id, order]));
  const workers = value?.items ?? [];
  const count = (/** @type {string} */ state) => workers.filter((/** @type {any} */ each) => each.state === state).length;
  const waiting = ready.value?.items.length ?? 0;
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Workers</h1>
    ${value && html`<p class="dim">${count("free")} free, ${count("busy")} busy${waiting > 0 ? `; ${waiting} ${waiting === 1 ? "order waits" : "orders wait"} for a worker` : "; no order waits"}.</p>`}
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && workers.length === 0 && html`<${Empty} title="No worker was seen in the last day"><p>Start one; the first call of a worker makes it appear here.</p><pre>vtid agent --command "claude -p"</pre></${Empty}>`}
    ${workers.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Workers"><table>
      <thead><tr><th scope="col">Worker</th><th scope="col">State</th><th scope="col">Doing</th><th scope="col">Last heartbeat</th><th scope="col">Last seen</th></tr></thead>
      <tbody>${workers.map((/** @type {any} */ worker) => html`<${Worker} key=${worker.worker_id} worker=${worker} order=${orders.get(worker.holding)} />`)}</tbody>
    </table></div>`}
  </main>`;
}
