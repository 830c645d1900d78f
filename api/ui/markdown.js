// markdown.js: text of a spec as HTML that can do no harm. Read only when the first spec is shown.

import DOMPurify from "dompurify";
import { marked } from "marked";

// No images and no media: a spec must not make the reader's browser call other sites.
const ALLOWED = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: ["img", "picture", "video", "audio", "source", "svg", "style", "form", "input", "button", "textarea", "select", "iframe"],
  FORBID_ATTR: ["style", "id", "class", "name", "target"],
};

/** @param {string} markdown */
export const safeHtml = (markdown) => DOMPurify.sanitize(/** @type {string} */ (marked.parse(markdown, { async: false, gfm: true })), ALLOWED);
