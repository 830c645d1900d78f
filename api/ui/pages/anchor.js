// anchor.js: what the URL's hash names is shown once it is there; the browser looked for it before it was.

import { useEffect } from "preact/hooks";
import { route } from "../route.js";

/** @param {unknown} shown what the page waits for */
export function useAnchor(shown) {
  const { hash } = route.value;
  useEffect(() => {
    if (!shown || !hash) return;
    const named = document.getElementById(hash);
    named?.scrollIntoView({ block: "center" });
    document.querySelector(".named")?.classList.remove("named");
    named?.classList.add("named");
  }, [Boolean(shown), hash]);
}
