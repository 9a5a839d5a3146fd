// What travels between the gateway and the page. Times are ISO 8601 in UTC; absent fields have their default.

export type Row = {
  id: string;
  version: number;
  namespace: string;
  flow_id: string;
  revision: number;
  state: string;
  start_date: string;
  changed_at: string;
  kind?: string;
  end_date?: string;
  labels?: { [key: string]: string };
  trigger_id?: string;
  trigger_type?: string;
  parent_id?: string;
  original_id?: string;
  attempt_number?: number;
  error?: string;
  last_task?: string;
  triggered_by?: string;
};

export type Counts = { [state: string]: number };
export type Item = { t: string; [field: string]: any };
export type RowItem = { t: "row"; row: Row };
/** `ids` is absent when the order is as before. */
export type WindowItem = { t: "window"; ids?: string[]; total: number; counts: Counts };
export type ListSnapshot = { rows: Row[]; ids: string[]; total: number; counts: Counts };

export type Frame = {
  topic: string;
  cursor: string;
  mark: string;
  sent_at: string;
  source_at?: string;
  items?: Item[];
  snapshot?: any;
};

export type Heartbeat = {
  at: string;
  executor_at: string | null;
  sources: { [name: string]: string };
  lag_ms: number;
  redis: string | null;
  database: string | null;
  executor: string | null;
  dead_letters: number;
  dropped: number;
};

/** The answer to `subscribe`; `snapshot` and `items` are JSON text. */
export type Answer = {
  ok: boolean;
  cursor?: string;
  mark?: string;
  snapshot?: string;
  items?: string;
  resumed?: number;
  error?: string;
  retry?: boolean;
};

/** What a view gives to `live.subscribe`. */
export type Handlers = {
  /** Everything, at first and whenever the page fell too far behind: replaces what is known. */
  snapshot?: (snapshot: any, frame?: Frame) => void;
  /** What changed since, in order; conflated where the type allows it. */
  items?: (items: any[], frame: Frame) => void;
  /** Back after a lost connection without a gap: what is known holds, `items` follow. */
  resumed?: () => void;
  /** The connection is lost: what is shown is not confirmed any more. */
  lost?: () => void;
  /** The server refused the subscription for good; says why. */
  refused?: (error: string) => void;
};

export type Phase = "connecting" | "live" | "catching_up" | "reconnecting" | "stale";

export type Status = {
  phase: Phase;
  /** Since when, in ms of the server's clock: of `stale`, the last confirmed moment. */
  since: number;
  /** From the acceptance of the newest event to its paint, in ms; null before the first one. */
  age_ms: number | null;
  /** When the next attempt to connect is made, in ms of this computer's clock. */
  next_at: number | null;
  /** In words, worst first: `Redis away`, `database away`, `executor silent`, `signed out`. */
  problems: string[];
  /** Worth knowing, but nothing is stale by it: malformed events put aside, what was left out at a cap. */
  notes: string[];
};

export type Painted = { topic: string; cursor: string; at: number };

export interface Socket {
  connected: boolean;
  connect(): void;
  disconnect(): void;
  on(event: string, handler: (...args: any[]) => void): unknown;
  emit(event: string, ...args: any[]): unknown;
}

declare global {
  interface Window {
    watchfloor: { painted: ((painted: Painted) => void)[]; live?: any; [name: string]: any };
    dash_ag_grid?: { getApiAsync(id: string): Promise<any> };
    dash_clientside?: any;
  }
}
