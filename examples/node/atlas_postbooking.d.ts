import type { Case, Operations } from './operations';
export type * from './operations';
export * from './constants';

export type Outcome = 'unknown' | 'executed' | 'not_executed' | 'pending';

export interface Failure {
  code: string; status: number; message: string; help: string; advice: string;
  next: string | null; vendorCode: string | null; field: string | null; retryAfterMs: number | null;
}

export interface Reply<Data = unknown> {
  readonly ok: boolean;
  readonly status: number;
  /** Whether the effect exists at the vendor. */
  readonly outcome: Outcome;
  readonly httpStatus: number;
  readonly vendorStatus: number;
  readonly json: string;
  readonly bytes: Buffer;
  /** What the vendor sent. */
  readonly raw: Buffer | null;
  readonly object: Record<string, unknown>;
  readonly data: Data;
  readonly error: Failure | null;
  readonly warnings: { code: string }[];
  readonly case?: Case;
}

export interface Options {
  /** Cancels the call; its reply or error still says what is known of its effect. */
  signal?: AbortSignal;
  timeoutMs?: number;
  retry?: Record<string, number>;
  headers?: Record<string, string>;
  clientRequestId?: string;
  allowUnknown?: boolean;
}

/** A call that did not end well. Look at `outcome` before anything is done again. */
export class AtlasError extends Error {
  readonly reply: Reply;
  readonly outcome: Outcome;
  readonly code: string;
  readonly advice: string;
  readonly next: string | null;
}

/** It may have been executed: query, never submit again. */
export class OutcomeUnknown extends AtlasError {}

export interface Config {
  baseUrl: string; clientId: string; clientSecret: string;
  [key: string]: unknown;
}

type Name = keyof Operations;
type Request<K extends Name> = Operations[K]['request'];
type Answer<K extends Name> = Promise<Reply<Operations[K]['data']>>;
/** JSON that is sent as it is. */
type Text = string | Buffer;

export class Client {
  constructor(config: Config | string | Buffer);
  call<K extends Name>(operation: K, request?: Request<K>, options?: Options): Answer<K>;
  reply<K extends Name>(operation: K, request?: Request<K> | Text, options?: Options): Answer<K>;
  close(): void;
}

export function local<K extends Name>(operation: K, request: Request<K> | Text, options?: Options): Answer<K>;
export function validate<K extends Name>(operation: K, request: Request<K> | Text): Reply;
export function describe(operation?: Name): Reply;
export function liveHandles(): number;
