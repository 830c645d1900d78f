// cancel.js: ask a run to end, after saying what that means.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Button, Dialog, Field } from "../parts.js";
import { cellOf } from "../store.js";
import { cancel } from "../task/doing.js";
import { nowOf, whyNotCancel } from "../task/steps.js";

/** @param {{vtid: string}} props */
export function CancelButton({ vtid }) {
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  const { brief } = cellOf(vtid).value;
  if (!brief || brief.outcome) return null;
  const confirm = async () => {
    if (whyNotCancel(nowOf(vtid)) || (await cancel(vtid, reason.trim()))) setAsks(false);
  };
  return html`<${Button} action=${`ask to cancel ${vtid}`} kind="quiet danger" label="Cancel the run" why=${whyNotCancel(cellOf(vtid).value)} run=${() => setAsks(true)} />
    ${asks && html`<${Dialog} title=${`Cancel the run of ${vtid}?`} onClose=${() => setAsks(false)}>
      <p>Its worker is told to stop at the next heartbeat. Nothing is merged after this; a merge that is under way is finished and told truthfully. The task can be started again.</p>
      <${Field} label="Reason" hint="Stands in the events.">${(/** @type {string} */ id, /** @type {string} */ more) => html`<textarea id=${id} aria-describedby=${more} rows="2" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea>`}</${Field}>
      <${Button} action=${`cancel ${vtid}`} kind="danger" label="Cancel the run" busy="Asking it to end …" why=${whyNotCancel(cellOf(vtid).value)} run=${confirm} />
    </${Dialog}>`}`;
}
