// view.js: runs in, HTML out. No requests, no rules of the domain.

import { h } from "preact";
import { useEffect } from "preact/hooks";
import htm from "htm";
import { ago, duration, engineWarning, runLook, stageLook, took, waitingParts } from "./words.js";

const html = htm.bind(h);

const When = ({ at, now }) => html`<time datetime=${at} title=${new Date(at).toLocaleString()}>${ago(at, now)}</time>`;

function Stage({ stage, now }) {
  const { sign, words } = stageLook(stage.status);
  const spent = took(stage, now);
  return html`<li class="stage ${stage.status}" aria-label="${stage.stage}: ${words}" title=${stage.why ?? words}>
    <span class="bar"></span>
    <b><i>${sign}</i> ${stage.stage}</b>
    <small>${stage.why ?? (stage.status === "running" && stage.step ? stage.step.replaceAll("_", " ") : words)}</small>
    <small class="spent">${spent}${stage.attempt > 1 ? ` · attempt ${stage.attempt}` : ""}</small>
  </li>`;
}

function Waiting({ waiting, now }) {
  const { what, since, left, late, who } = waitingParts(waiting, now);
  return html`<p class="waiting">
    <span>Waits for <b>${what}</b>${since && ` · for ${since}`}${who && ` · ${who} can move it`}</span>
    ${left && html`<span class="left ${late ? "late" : ""}" title=${new Date(waiting.until).toLocaleString()}>${left}</span>`}
  </p>`;
}

function Failure({ run }) {
  const { code, message, advice, causes } = run.failure;
  const moves = run.moves.map((each) => each.move);
  return html`<div class="failed">
    <p><code>${code}</code> ${message}</p>
    ${advice && html`<p class="advice">What to do: ${advice}.</p>`}
    ${causes?.length > 0 && html`<details><summary>Causes</summary><ol>${causes.map((c) => html`<li><code>${c.type}</code> ${c.message}</li>`)}</ol></details>`}
    ${moves.length > 0 && html`<p class="moves">Decide with <code>vtid run rescue ${run.vtid} ${moves.join("|")}</code></p>`}
  </div>`;
}

const LINKS = { pr: "Pull request", deploy_run: "Deploy run", temporal: "Temporal", self: "API" };

const Links = ({ links }) =>
  html`<nav class="links">
    ${Object.entries(LINKS).filter(([key]) => links[key]).map(([key, text]) => html`<a href=${links[key]} rel="noreferrer">${text}</a>`)}
  </nav>`;

function Run({ run, now }) {
  const { sign, words, kind } = runLook(run);
  const warning = engineWarning(run);
  return html`<article class="run ${kind}" id=${run.vtid}>
    <header>
      <h3><a href="#${run.vtid}">${run.vtid}</a> <span>${run.title}</span></h3>
      <span class="pill ${kind}"><i>${sign}</i> ${words}</span>
    </header>
    <ol class="stages">${run.stages.map((stage) => html`<${Stage} key=${stage.stage} stage=${stage} now=${now} />`)}</ol>
    ${warning && html`<p class="warning">${warning}</p>`}
    ${run.waiting && html`<${Waiting} waiting=${run.waiting} now=${now} />`}
    ${run.failure && html`<${Failure} run=${run} />`}
    ${run.note && html`<p class="note">${run.note}</p>`}
    <footer>
      <span>${run.repository}${run.environment && html` → <b>${run.environment}</b>`}</span>
      ${run.worker && run.stage === "WORKER" && html`<span>worker <b>${run.worker}</b></span>`}
      ${run.merged && html`<span>merged as <code>${run.merged.slice(0, 8)}</code></span>`}
      ${run.ended_at
        ? html`<span>ended <${When} at=${run.ended_at} now=${now} /></span>`
        : run.started_at && html`<span>started <${When} at=${run.started_at} now=${now} /></span>`}
      <${Links} links=${run.links} />
    </footer>
  </article>`;
}

const Section = ({ title, runs, now }) =>
  runs.length > 0 &&
  html`<section><h2>${title} <span class="count">${runs.length}</span></h2>
    ${runs.map((run) => html`<${Run} key=${run.vtid} run=${run} now=${now} />`)}</section>`;

const Empty = () =>
  html`<section class="empty">
    <h2>No runs yet</h2>
    <p>A run takes an approved spec to a proven deployment. Start the first one:</p>
    <pre>vtid task create --title "…" --spec spec.md
vtid spec approve VTID-00001
vtid run start VTID-00001</pre>
    <p>It appears here by itself.</p>
  </section>`;

function Connection({ connection, asOf, now }) {
  const live = connection.state === "live";
  const words = { live: "live", opening: "connecting", lost: "connection lost" }[connection.state];
  return html`<p class="connection ${connection.state}" role="status">
    <i>${live ? "●" : "○"}</i> ${words}${asOf && ` · last news ${duration((now - asOf) / 1000)} ago`}
  </p>`;
}

const Banner = ({ connection, asOf, now }) =>
  connection.state === "lost" &&
  html`<p class="banner" role="alert">
    The connection has been lost for ${duration((now - connection.since) / 1000)}${connection.why && ` (${connection.why})`}.
    ${asOf ? ` What you see is as of ${new Date(asOf).toLocaleTimeString()}.` : ""} Trying again.
  </p>`;

export function SignIn({ signIn }) {
  const submit = async (event) => {
    event.preventDefault();
    const { key, problem } = event.target.elements;
    problem.value = "";
    await signIn(key.value).catch((error) => (problem.value = error.message));
  };
  return html`<form class="signin" onSubmit=${submit}>
    <h1>VTID runs</h1>
    <label for="key">Your API key</label>
    <input id="key" name="key" type="password" autocomplete="current-password" required />
    <output name="problem" role="alert"></output>
    <button>Sign in</button>
    <p>An administrator makes one with <code>vtid token create --role viewer</code>.</p>
  </form>`;
}

export function Page({ groups, connection, asOf, system, now }) {
  const { needs, open, done } = groups;
  const none = needs.length + open.length + done.length === 0;
  // The browser looks for the anchor before the runs are here, so it is sent there once more.
  useEffect(() => {
    if (!none && location.hash) location.replace(location.hash);
  }, [none]);
  return html`
    <header class="top">
      <h1>VTID runs</h1>
      <p class="sum" aria-live="polite">${needs.length} need you · ${open.length} under way · ${done.length} ended</p>
      <${Connection} connection=${connection} asOf=${asOf} now=${now} />
    </header>
    <${Banner} connection=${connection} asOf=${asOf} now=${now} />
    ${system?.armed === false &&
    html`<p class="banner stop" role="alert"><b>Emergency stop.</b> Nothing new is dispatched: ${system.reason} (${system.by})</p>`}
    <main>
      ${none && connection.state !== "opening" && html`<${Empty} />`}
      <${Section} title="Needs you" runs=${needs} now=${now} />
      <${Section} title="Under way" runs=${open} now=${now} />
      <${Section} title="Ended" runs=${done} now=${now} />
    </main>
    <footer class="bottom"><a href="/openapi.json">API</a> · <a href="/readyz">health</a> · <a href="/version">version</a></footer>
  `;
}
