// changes.js: what differs between two states of a task, in words. Pure.

const FIELDS = /** @type {const} */ (["title", "status", "repository", "environment", "priority"]);

/**
 * @param {import("./types/page").Head | null} old
 * @param {import("./types/page").Head} fresh
 * @returns {string[]}
 */
export function changesBetween(old, fresh) {
  if (!old) return [];
  const told = [];
  if (old.spec?.hash !== fresh.spec?.hash) {
    const author = fresh.spec ? ` by ${fresh.spec.author}` : "";
    told.push(`the spec is now version ${fresh.spec?.version ?? "none"}${author}, you had ${old.spec?.version ?? "none"}`);
  } else if (old.spec?.state !== fresh.spec?.state) {
    told.push(`the spec is ${fresh.spec?.state}, it was ${old.spec?.state}`);
  }
  for (const field of FIELDS) {
    if (old[field] !== fresh[field]) told.push(`${field} is now ${words(fresh[field])}, it was ${words(old[field])}`);
  }
  if (old.services.join() !== fresh.services.join()) told.push(`services are now ${fresh.services.join(", ") || "all that the paths map to"}`);
  return told;
}

/** @param {string | number} value */
const words = (value) => String(value).replaceAll("_", " ");
