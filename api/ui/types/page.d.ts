// The page's own types. What the API sends is typed by its OpenAPI document: see api.d.ts, made by `make lint`.

import type { components } from "./api";

/** What the API sends under this name of its OpenAPI document. */
export type Sent<Name extends keyof components["schemas"]> = components["schemas"][Name];
/** What `useResource` gives for a list of them; null until it was read. */
export type Listed<Name extends keyof components["schemas"]> = { items: Sent<Name>[] } | null;

export interface Route {
  page: string;
  id: string | undefined;
  query: URLSearchParams;
  hash: string;
  /** By how much the page was scrolled when it was left; 0 where nobody was yet. */
  top: number;
}

export interface Connection {
  state: "opening" | "live" | "lost";
  since: number;
  why: string | null;
}

export interface ProblemBody {
  title: string;
  status: number;
  detail: string;
  code: string;
  expected: any;
  actual: any;
  request_id: string | null;
  errors: { field: string; message: string }[];
  fresh: Task | null;
}

export interface LoggedEvent {
  position: number;
  id: string;
  run_id: string | null;
  seq: number | null;
  vtid: string | null;
  type: string;
  stage: string | null;
  at: string;
  actor: string;
  data: Record<string, any>;
}

export interface Message {
  event: LoggedEvent;
  run: Run | null;
}

export interface Waiting {
  for: string;
  since: string | null;
  until: string | null;
  who: string | null;
}

export interface Failure {
  code: string;
  message: string;
  outcome: string;
  advice?: string;
  since?: string;
  stage?: string | null;
  step?: string | null;
  attempt?: number | null;
  causes?: { type: string; message: string }[];
  moves?: string[];
}

export interface Stage {
  stage: string;
  status: string;
  step?: string | null;
  attempt?: number | null;
  started_at?: string | null;
  ended_at?: string | null;
  waiting?: Waiting | null;
  failure?: Failure | null;
  why?: string | null;
}

export interface Move {
  move: string;
  role: string;
  params: string[];
}

/** What a card shows of a run. */
export interface BriefRun {
  seq?: number;
  run_id: string | null;
  status: string;
  outcome: string | null;
  stage: string;
  engine: string;
  attempt: number | null;
  worker: string | null;
  waiting: Waiting | null;
  stages: Stage[];
  failure: Failure | null;
  note: string | null;
  started_at: string | null;
  ended_at: string | null;
  position: number;
  serving?: { state: string; says: string; since: string } | null;
}

/** The run view. */
export interface Run extends BriefRun {
  vtid: string;
  title: string;
  moves: Move[];
  evidence: {
    claimed: Record<string, any> | null;
    observed: Record<string, any> | null;
    contradictions?: { field: string; claimed: unknown; observed: unknown; attempt: number | null }[];
  };
  repair?: { round: number; rounds: number; reason: string; findings: Finding[]; at: string } | null;
  verdict: { passed: boolean; head_sha: string; rules: RuleAnswer[]; at: string } | null;
  proof: { commit: string; complete: boolean; code: string | null; links: ProofLink[]; at: string; rollback?: RolledBack[] } | null;
  queued: string | null;
  merged: string | null;
  environment: string | null;
  repository: string | null;
  spec_hash: string | null;
  links: Record<string, string>;
  lease: Lease | null;
  as_of: string;
}

export interface Finding {
  rule: string;
  name: string;
  says: string;
  url: string | null;
  log_problem: string | null;
}

export interface RuleAnswer {
  rule: string;
  title: string;
  answer: string;
  reason: string;
  inputs: Record<string, any>;
  code: string;
}

/** What was done about a service that could not be proven, or (`held`) why nothing was. */
export interface RolledBack {
  service: string;
  held: boolean;
  reason?: string;
  revision?: string;
  commit?: string | null;
  proven?: boolean;
  links?: ProofLink[];
}

export interface ProofLink {
  name: string;
  state: string;
  says: string;
  service: string | null;
  raw: Record<string, any>;
  match: string | null;
  at: string | null;
  code: string | null;
}

export interface Lease {
  worker: string;
  attempt: number;
  mode: string;
  last_beat_at: string | null;
  last_progress_at: string | null;
  progress: Record<string, any> | null;
  suspect: boolean;
  suspect_after_seconds: number;
  lost_seconds: number;
}

export interface Spec {
  version: number;
  hash: string;
  state: string;
  author: string;
  markdown?: string;
  approved_by?: string | null;
  approved_at?: string | null;
  reason?: string | null;
  warnings?: string[];
}

/** A task without its run; with the text of its spec once it was read whole. */
export interface Head {
  vtid: string;
  title: string;
  status: string;
  repository: string;
  environment: string;
  services: string[];
  priority: number;
  version: number;
  position: number;
  created_by: string;
  created_at: string;
  updated_at: string;
  spec: Spec | null;
}

export interface Task extends Head {
  run: Run | null;
}

export interface Card extends Head {
  run: BriefRun | null;
}

/** All that the page knows of one VTID: the newest of each part, whatever order the answers came in. */
export interface Known {
  vtid: string;
  task: Head | null;
  brief: BriefRun | null;
  run: Run | null;
}

export interface Who {
  name: string;
  role: string;
}

export interface Column {
  column: string;
  count: number;
  vtids: string[];
  next_cursor: string | null;
}

export interface Notice {
  id: number;
  kind: "done" | "refused";
  text: string;
  undo?: (() => Promise<void>) | undefined;
  href?: string;
}
