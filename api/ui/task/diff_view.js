// diff_view.js: two texts beside each other, line by line; long stretches that are the same are folded.

import { diffLines } from "../diff.js";
import { html } from "../html.js";

const AROUND = 3;
const SIGN = { same: " ", old: "−", new: "+" };
const WORD = { same: "", old: "removed: ", new: "added: " };

/** @param {{old: string, fresh: string}} props */
export function Diff({ old, fresh }) {
  const lines = diffLines(old, fresh);
  const near = new Set();
  lines.forEach((line, at) => {
    if (line.kind !== "same") for (let i = at - AROUND; i <= at + AROUND; i++) near.add(i);
  });
  if (near.size === 0) return html`<p class="dim">The two texts are the same.</p>`;
  const rows = [];
  for (let at = 0; at < lines.length; at++) {
    if (!near.has(at)) {
      if (near.has(at - 1) || at === 0) rows.push(html`<li class="fold" key=${at}>⋯</li>`);
      continue;
    }
    const { kind, text, old: from, fresh: to } = lines[at];
    rows.push(html`<li key=${at} class=${kind}><span class="no" aria-hidden="true">${from ?? ""}</span><span class="no" aria-hidden="true">${to ?? ""}</span><span class="sign" aria-hidden="true">${SIGN[kind]}</span><code><span class="hidden">${WORD[kind]}</span>${text || " "}</code></li>`);
  }
  return html`<ol class="diff" tabindex="0" aria-label="Differences">${rows}</ol>`;
}
