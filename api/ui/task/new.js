// new.js: a new task, beside the board.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "../api.js";
import { perform } from "../actions.js";
import { html } from "../html.js";
import { Button, Field, Loading, ProblemBox } from "../parts.js";
import { useResource } from "../resource.js";
import { go, withQuery } from "../route.js";
import { whyNot } from "../session.js";
import { put } from "../store.js";
import { savedHere } from "./doing.js";

const OUTLINE = "# Goal\n\n\n## Scope\n\n\n## Acceptance Criteria\n\n- \n";

/** What is written so far survives a look at the board. */
const draft = { title: "", spec: OUTLINE, environment: "", priority: "3" };

const close = () => go(withQuery({}, "/"));

/** @param {{environments: any[]}} props */
function Form({ environments }) {
  const [values, setValues] = useState({ ...draft, environment: draft.environment || environments[0]?.name });
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    Object.assign(draft, { [name]: event.target.value });
    setValues({ ...values, [name]: event.target.value });
  };
  const create = () =>
    perform("create", async () => {
      setWrong({});
      const environment = environments.find((each) => each.name === values.environment);
      const spec = values.spec.trim() && values.spec !== OUTLINE ? values.spec : undefined;
      try {
        const body = { title: values.title.trim(), repository: environment.repository, environment: environment.name, priority: Number(values.priority), spec };
        const task = await api("POST", "/tasks", { body });
        if (task.spec) savedHere.value = new Set(savedHere.peek()).add(task.spec.hash);
        put(task);
        Object.assign(draft, { title: "", spec: OUTLINE });
        go(withQuery({}, `/tasks/${task.vtid}`));
      } catch (error) {
        if (error instanceof Problem) setWrong(Object.fromEntries(error.errors.map(({ field, message }) => [field, message])));
        throw error;
      }
    }, { did: "The task is created." }); // prettier-ignore
  const chosen = environments.find((each) => each.name === values.environment);
  const why = whyNot("operator") ?? (values.title.trim() ? null : "A title is needed.");
  return html`<form class="new" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <${Field} label="Title" wrong=${wrong.title}>${(/** @type {string} */ id, /** @type {string} */ more) => html`<input id=${id} aria-describedby=${more} maxlength="300" required value=${values.title} onInput=${set("title")} />`}</${Field}>
    <div class="pair">
      <${Field} label="Environment" wrong=${wrong.environment} hint=${chosen && `builds ${chosen.repository}`}>${(/** @type {string} */ id, /** @type {string} */ more) => html`<select id=${id} aria-describedby=${more} onChange=${set("environment")}>${environments.map(({ name }) => html`<option key=${name} value=${name} selected=${name === values.environment}>${name}</option>`)}</select>`}</${Field}>
      <${Field} label="Priority" wrong=${wrong.priority} hint="1 is taken first, 5 last">${(/** @type {string} */ id, /** @type {string} */ more) => html`<select id=${id} aria-describedby=${more} onChange=${set("priority")}>${["1", "2", "3", "4", "5"].map((each) => html`<option key=${each} selected=${each === values.priority}>${each}</option>`)}</select>`}</${Field}>
    </div>
    <${Field} label="Spec in Markdown" wrong=${wrong.spec} hint="May also be written later. Nothing runs before somebody approved it.">${(/** @type {string} */ id, /** @type {string} */ more) => html`<textarea id=${id} aria-describedby=${more} class="long" value=${values.spec} onInput=${set("spec")}></textarea>`}</${Field}>
    <div class="row"><${Button} action="create" kind="primary" label="Create the task" busy="Creating …" why=${why} run=${create} /><button type="button" onClick=${close}>Cancel</button></div>
  </form>`;
}

export default function NewTask() {
  const { value, problem, again } = useResource("/environments");
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => heading.current?.focus(), []);
  return html`<section class="drawer" aria-labelledby="drawer-title">
    <header><h2 id="drawer-title" tabindex="-1" ref=${heading}>New task</h2><button type="button" class="close" aria-label="Close the drawer" onClick=${close}>✕</button></header>
    ${problem ? html`<${ProblemBox} problem=${problem} again=${again} />` : value ? html`<${Form} environments=${value.items} />` : html`<${Loading} />`}
  </section>`;
}
