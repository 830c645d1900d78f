// lease.js: who works on it, and how long ago they were heard. Heartbeat and progress are two clocks.

import { now } from "../clock.js";
import { html } from "../html.js";
import { When } from "../parts.js";
import { exact, secondsSince } from "../time.js";

/** @param {{run: import("../types/page").Run}} props */
export function Lease({ run: { lease, worker, stage, outcome } }) {
  if (!lease || !worker || outcome || stage !== "WORKER") return null;
  const silent = lease.last_beat_at ? secondsSince(lease.last_beat_at, now.value) : null;
  // The answer may be some seconds old: silence goes on meanwhile.
  const suspect = lease.mode !== "unattended" && (lease.suspect || (silent !== null && silent >= lease.suspect_after_seconds));
  const said = lease.progress && Object.entries(lease.progress).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  return html`<section class=${`lease ${suspect ? "suspect" : ""}`} aria-labelledby="lease">
    <h2 id="lease">Worker</h2>
    <p><b>${lease.worker}</b>, attempt ${lease.attempt}, ${lease.mode} · ${suspect ? html`<b class="warning">! suspect</b>` : html`<span class="good">✓ heard</span>`}
      ${lease.last_beat_at ? html` · heartbeat <${When} at=${lease.last_beat_at} />, lost after ${exact(lease.lost_seconds)} of silence` : " · no heartbeat yet"}
      ${lease.last_progress_at && html` · progress <${When} at=${lease.last_progress_at} />`}</p>
    ${said && html`<p class="dim">It says: ${said}</p>`}
  </section>`;
}
