// chart.js: charts drawn by hand as SVG. Every figure also stands as text, so nothing is told by a shape alone.

import { html } from "../html.js";
import { duration, exact, measured } from "../time.js";

/** @param {number | null} seconds */
export const within = (seconds) => (seconds === null ? "–" : seconds < 60 ? measured(seconds * 1000) : duration(seconds));

/** A round number that is at least the value, to end a scale with. @param {number} value */
export function roundUp(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 4, 5, 10].map((each) => each * step).find((each) => each >= value) ?? value;
}

/**
 * Two bars for each row, the usual (p50) in the slow (p95), and a mark where the limit stands.
 * @param {{label: string, rows: {name: string, says?: string, count: number, p50: number | null, p95: number | null, limit?: number | null}[]}} props
 */
export function Spans({ label, rows }) {
  const most = roundUp(Math.max(1, ...rows.map((row) => row.p95 ?? 0)));
  const percent = (/** @type {number} */ seconds) => `${Math.min(100, (seconds / most) * 100)}%`;
  return html`<table class="chart spans"><caption class="hidden">${label}</caption>
    <thead><tr><th scope="col"><span class="hidden">What</span></th><th scope="col" class="drawn"><span class="hidden">Chart</span></th><th scope="col">half within</th><th scope="col">95 % within</th><th scope="col">limit</th><th scope="col">seen</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}>
      <th scope="row">${row.name}${row.says && html`<small class="dim">${row.says}</small>`}</th>
      <td class="drawn"><svg width="100%" height="22" role="img" aria-label=${row.count === 0 ? `${row.name}: nothing seen` : `${row.name}: half within ${within(row.p50)}, 95 percent within ${within(row.p95)}`}>
        <rect class="ground" x="0" y="4" width="100%" height="14" rx="3" />
        ${row.p95 !== null && html`<rect class="slow" x="0" y="4" width=${percent(row.p95)} height="14" rx="3" /><rect class="usual" x="0" y="7" width=${percent(row.p50 ?? 0)} height="8" rx="2" />`}
        ${row.limit && row.limit <= most && html`<line class="limit" x1=${percent(row.limit)} x2=${percent(row.limit)} y1="1" y2="21" />`}
      </svg></td>
      <td class="num">${within(row.p50)}</td><td class="num">${within(row.p95)}</td><td class="num">${row.limit ? exact(row.limit) : ""}</td><td class="num dim">${row.count}</td></tr>`)}</tbody>
  </table>`;
}

/**
 * Columns of a day each, with what ended how on top of each other.
 * @param {{label: string, days: {day: string, parts: {kind: string, count: number}[]}[], words: Record<string, string>}} props
 */
export function Days({ label, days, words }) {
  const sum = (/** @type {{parts: {count: number}[]}} */ each) => each.parts.reduce((all, part) => all + part.count, 0);
  const most = 2 * roundUp(Math.max(2, ...days.map((each) => sum(each) / 2))); // the middle is a whole run, too
  const width = 100 / days.length;
  const drawn = days.flatMap((each, at) => {
    let top = 100;
    return each.parts.map(({ kind, count }) => {
      const height = (count / most) * 100;
      top -= height;
      return count > 0 && html`<rect key=${`${each.day} ${kind}`} class=${kind} x=${at * width + width * 0.12} y=${top} width=${width * 0.76} height=${height}><title>${`${each.day}: ${count} ${words[kind]}`}</title></rect>`;
    });
  });
  return html`<figure class="days">
    <div class="scale dim num" aria-hidden="true"><span>${most}</span><span>${most / 2}</span><span>0</span></div>
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label=${label}><line class="grid" x1="0" x2="100" y1="50" y2="50" /><line class="grid" x1="0" x2="100" y1="0.3" y2="0.3" />${drawn}<line class="axis" x1="0" x2="100" y1="100" y2="100" /></svg>
    <div class="ends dim" aria-hidden="true"><span>${days[0]?.day}</span><span>${days.at(-1)?.day}</span></div>
    <figcaption class="key">${Object.entries(words).map(([kind, word]) => html`<span key=${kind}><svg width="10" height="10" aria-hidden="true"><rect class=${kind} width="10" height="10" rx="2" /></svg> ${word}</span>`)}</figcaption>
  </figure>`;
}
