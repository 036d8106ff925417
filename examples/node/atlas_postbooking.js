'use strict';
/**
 * Post-booking calls of the Atlas flight API, for Node. Promises over the library's completion queue: a call in flight
 * holds no thread, neither of libuv's pool nor its own.
 *
 * The library is looked for by the loader (LD_LIBRARY_PATH, ldconfig). Amounts are decimal strings: keep them strings,
 * or use a decimal library; never Number().
 */
const net = require('node:net');
const koffi = require('koffi');
const constants = require('./constants.js');

const { APB_OK, APB_ABI_VERSION } = constants;
const OUTCOMES = ['unknown', 'executed', 'not_executed', 'pending'];

const lib = koffi.load('libatlas_postbooking.so.1');
const C = {
  abiVersion: lib.func('uint32_t apb_abi_version()'),
  liveHandles: lib.func('uint64_t apb_live_handles()'),
  clientNew: lib.func('int apb_client_new(const uint8_t *config, size_t len, _Out_ void **client, _Out_ void **reply)'),
  clientFree: lib.func('void apb_client_free(void *client)'),
  cancelNew: lib.func('void *apb_cancel_new()'),
  cancelSet: lib.func('void apb_cancel_set(void *cancel)'),
  cancelFree: lib.func('void apb_cancel_free(void *cancel)'),
  validate: lib.func('int apb_validate(const char *name, const uint8_t *request, size_t len, _Out_ void **reply)'),
  describe: lib.func('int apb_describe(const char *name, _Out_ void **reply)'),
  queueNew: lib.func('int apb_queue_new(_Out_ void **queue)'),
  queueFd: lib.func('int apb_queue_fd(void *queue)'),
  start: lib.func('int apb_start(void *client, const char *name, const uint8_t *request, size_t len, ' +
    'const uint8_t *options, size_t options_len, void *queue, uint64_t tag, void *cancel)'),
  queueNext: lib.func('int apb_queue_next(void *queue, int64_t timeout_ms, _Out_ uint64_t *tag, _Out_ void **reply)'),
  json: lib.func('void *apb_reply_json(void *reply, _Out_ size_t *len)'),
  raw: lib.func('void *apb_reply_raw(void *reply, _Out_ size_t *len)'),
  status: lib.func('int apb_reply_status(void *reply)'),
  outcome: lib.func('int apb_reply_outcome(void *reply)'),
  httpStatus: lib.func('int apb_reply_http_status(void *reply)'),
  vendorStatus: lib.func('int apb_reply_vendor_status(void *reply)'),
  replyFree: lib.func('void apb_reply_free(void *reply)'),
};
if (C.abiVersion() !== APB_ABI_VERSION) throw new Error('libatlas_postbooking has another ABI than this binding');

/** JSON as bytes: objects are encoded, texts and buffers are passed as they are. */
function bytes(value) {
  if (value === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(value)) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A copy of a text of a reply; null if there is none. */
function textOf(read, handle) {
  const len = [0];
  const pointer = read(handle, len);
  return pointer === null ? null : Buffer.from(new Uint8Array(koffi.view(pointer, Number(len[0]))));
}

/** The reply of a call: plain values, nothing to free. */
class Reply {
  #object;

  /** Takes over a reply of the library. */
  constructor(handle) {
    this.bytes = textOf(C.json, handle);
    this.raw = textOf(C.raw, handle);
    this.status = C.status(handle);
    this.outcome = OUTCOMES[C.outcome(handle)];
    this.httpStatus = C.httpStatus(handle);
    this.vendorStatus = C.vendorStatus(handle);
    C.replyFree(handle);
  }

  get ok() { return this.status === APB_OK; }
  get json() { return this.bytes.toString(); }
  /** The reply as an object; parsed when it is first asked for. */
  get object() { return (this.#object ??= JSON.parse(this.json)); }
  get data() { return this.object.data; }
  get error() { return this.object.error; }
  get warnings() { return this.object.warnings; }
  get case() { return this.object.case; }
}

/** A call that did not end well. Look at `outcome` before anything is done again. */
class AtlasError extends Error {
  constructor(reply) {
    super(reply.error.message);
    this.name = this.constructor.name;
    this.reply = reply;
    this.outcome = reply.outcome;
    Object.assign(this, { code: reply.error.code, advice: reply.error.advice, next: reply.error.next });
  }
}

/** It may have been executed: query (`next` names the operation), never submit again. */
class OutcomeUnknown extends AtlasError {}

function check(reply) {
  if (reply.ok) return reply;
  throw new (reply.outcome === 'unknown' ? OutcomeUnknown : AtlasError)(reply);
}

/** The completions of this process, by tag. */
const pending = new Map();
let queue, socket, lastTag = 0;

function drain() {
  for (;;) {
    const tag = [0], reply = [null];
    if (C.queueNext(queue, 0, tag, reply) !== APB_OK) break;
    const key = Number(tag[0]), settle = pending.get(key);
    pending.delete(key);
    settle(new Reply(reply[0]));
  }
  // Node may exit when nothing is in flight.
  if (pending.size === 0) socket.unref();
}

function watch() {
  const out = [null];
  if (C.queueNew(out) !== APB_OK) throw new Error('no queue: no descriptors or no memory left');
  queue = out[0];
  // The stream swallows the byte that woke it; only drain() says what there is.
  socket = new net.Socket({ fd: C.queueFd(queue), readable: true, writable: false });
  socket.on('data', drain).on('error', () => {});
}

/** Starts a call; the promise is of its reply, whatever it says. */
function start(client, operation, request, options, signal) {
  if (queue === undefined) watch();
  const cancel = signal ? C.cancelNew() : null;
  if (signal?.aborted) C.cancelSet(cancel);
  const tag = ++lastTag, json = bytes(request), more = bytes(options);
  return new Promise((resolve, reject) => {
    const abort = () => C.cancelSet(cancel);
    pending.set(tag, (reply) => {
      if (cancel) {
        signal.removeEventListener('abort', abort);
        C.cancelFree(cancel);
      }
      resolve(reply);
    });
    const status = C.start(client, operation, json, json.length, more, more.length, queue, tag, cancel);
    if (status !== APB_OK) {
      pending.delete(tag);
      if (cancel) C.cancelFree(cancel);
      reject(new Error(`the call was not started: status ${status}`));
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    socket.ref();
  });
}

const forgotten = new FinalizationRegistry((handle) => C.clientFree(handle));

/** A client: a configuration with its connections. `close()` it, or let it be collected. */
class Client {
  #handle;

  constructor(config) {
    const text = bytes(config), out = [null], why = [null];
    if (C.clientNew(text, text.length, out, why) !== APB_OK) check(new Reply(why[0]));
    this.#handle = out[0];
    forgotten.register(this, this.#handle, this);
  }

  /** The data of a call; rejects with AtlasError or OutcomeUnknown. `signal` cancels it. */
  async call(operation, request = {}, { signal, ...options } = {}) {
    return check(await this.reply(operation, request, { signal, ...options }));
  }

  /** As call(), but a failure is a reply too. A text or a Buffer is sent as it is. */
  async reply(operation, request = {}, { signal, ...options } = {}) {
    const given = Object.keys(options).length > 0 ? options.text ?? options : undefined;
    return start(this.#handle, operation, request, given, signal);
  }

  close() {
    forgotten.unregister(this);
    C.clientFree(this.#handle);
    this.#handle = null;
  }
}

/** Operations that need no client, as parseWebhook. */
const local = (operation, request, { signal, ...options } = {}) =>
  start(null, operation, request, Object.keys(options).length > 0 ? options.text ?? options : undefined, signal);

/** Checks a request without sending it. */
function validate(operation, request) {
  const out = [null], text = bytes(request);
  C.validate(operation, text, text.length, out);
  return new Reply(out[0]);
}

/** JSON Schemas of an operation, or of all. */
function describe(operation = null) {
  const out = [null];
  C.describe(operation, out);
  return new Reply(out[0]);
}

const liveHandles = () => Number(C.liveHandles());

module.exports = { ...constants, Client, Reply, AtlasError, OutcomeUnknown, local, validate, describe, liveHandles };
