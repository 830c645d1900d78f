// diff.js: which lines differ between two texts (Myers' greedy algorithm). Pure.

const MOST_EDITS = 1500; // above this the texts are two texts, and a diff would help nobody

/** @typedef {{kind: "same" | "old" | "new", text: string, old?: number, fresh?: number}} Line */

/** @param {string} old @param {string} fresh @returns {Line[]} */
export function diffLines(old, fresh) {
  const a = old.split("\n"), b = fresh.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = edits(a.slice(start, a.length - end), b.slice(start, b.length - end));
  /** @type {Line[]} */
  const lines = [
    ...a.slice(0, start).map((text) => same(text)),
    ...middle,
    ...a.slice(a.length - end).map((text) => same(text)),
  ];
  return numbered(lines);
}

/** @param {string} text @returns {Line} */
const same = (text) => ({ kind: "same", text });

/** @param {Line[]} lines */
function numbered(lines) {
  let old = 0, fresh = 0;
  for (const line of lines) {
    if (line.kind !== "new") line.old = ++old;
    if (line.kind !== "old") line.fresh = ++fresh;
  }
  return lines;
}

/** @param {string[]} a @param {string[]} b @returns {Line[]} */
function edits(a, b) {
  /** @type {Map<number, number>[]} the furthest x of each diagonal, one map for each number of edits */
  const trace = [];
  let furthest = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, MOST_EDITS); d++) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) x++, y++;
      furthest.set(k, x);
      if (x >= a.length && y >= b.length) return walkedBack(trace, a, b);
    }
  }
  return [...a.map((text) => /** @type {Line} */ ({ kind: "old", text })), ...b.map((text) => /** @type {Line} */ ({ kind: "new", text }))];
}

/** @param {Map<number, number>[]} trace @param {string[]} a @param {string[]} b @returns {Line[]} */
function walkedBack(trace, a, b) {
  /** @type {Line[]} */
  const lines = [];
  let x = a.length, y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const before = trace[d], k = x - y;
    const down = k === -d || (k !== d && (before.get(k - 1) ?? -1) < (before.get(k + 1) ?? -1));
    const fromX = before.get(down ? k + 1 : k - 1) ?? 0, fromY = fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) lines.push(same(a[--x])), y--;
    if (d > 0) lines.push(down ? { kind: "new", text: b[--y] } : { kind: "old", text: a[--x] });
  }
  return lines.reverse();
}
