'use strict';
// The caller of the vectors and stories through examples/node; README.md has the protocol.
const fs = require('fs');
const apb = require('../../examples/node/atlas_postbooking.js');

let buffer = Buffer.alloc(0), wake, ended = false;
process.stdin.on('data', (chunk) => { buffer = Buffer.concat([buffer, chunk]); wake?.(); });
process.stdin.on('end', () => { ended = true; wake?.(); });

const more = () => new Promise((resolve) => { wake = resolve; });

async function line() {
  for (;;) {
    const at = buffer.indexOf(10);
    if (at >= 0) {
      const text = buffer.subarray(0, at).toString();
      buffer = buffer.subarray(at + 1);
      return text;
    }
    if (ended) return null;
    await more();
  }
}

async function read(size) {
  while (buffer.length < size) await more();
  const text = buffer.subarray(0, size);
  buffer = buffer.subarray(size);
  return text;
}

async function reads(client, times, operation, request) {
  let last = performance.now(), gap = 0, ok = 0, ticks = 0;
  // Each tick waits for the file system, and so for a thread of libuv's pool.
  const tick = setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last - 5);
    last = now;
    fs.stat(__filename, () => { ticks++; });
  }, 5);
  const replies = await Promise.all(Array.from({ length: times }, () => client.reply(operation, request)));
  clearInterval(tick);
  for (const reply of replies) ok += reply.ok;
  return { status: 0, outcome: 'unknown', httpStatus: '-', vendorStatus: '-', raw: null,
    bytes: Buffer.from(JSON.stringify({ ok, gapMs: Math.round(gap), ticks })) };
}

/** Makes clients that nobody closes; the handles that are left once they were collected. */
async function forget(times, config) {
  for (let i = 0; i < times; i++) new apb.Client(config);
  for (let i = 0; i < 50 && apb.liveHandles() > 2; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { status: 0, outcome: 'unknown', httpStatus: '-', vendorStatus: '-', raw: null,
    bytes: Buffer.from(JSON.stringify({ live: apb.liveHandles() })) };
}

async function answer(verb, times, operation, config, request, text) {
  const options = text.length > 0 ? { text } : {};
  if (verb === 'VALIDATE') return apb.validate(operation, request);
  if (verb === 'DESCRIBE') return apb.describe(operation || null);
  if (verb === 'FORGET') return forget(times, config);
  if (verb === 'LOCAL') return apb.local(operation, request, options);
  let client;
  try {
    client = new apb.Client(config);
  } catch (error) {
    return error.reply;
  }
  let reply;
  if (verb === 'LEAVE') {
    setTimeout(() => process.exit(0), times);
    await client.reply(operation, request);
  }
  if (verb === 'READS') reply = await reads(client, times, operation, request);
  else if (verb === 'CANCEL') {
    reply = await client.reply(operation, request, { signal: AbortSignal.timeout(times) });
  } else for (let i = 0; i < times; i++) reply = await client.reply(operation, request, options);
  client.close();
  return reply;
}

async function main() {
  console.log('ready');
  const own = apb.liveHandles();
  let head;
  while ((head = await line()) !== null) {
    const [verb, times, ...sizes] = head.split(' ');
    const texts = [];
    for (const size of sizes) texts.push(await read(Number(size)));
    const reply = await answer(verb, Number(times), texts[0].toString(), ...texts.slice(1));
    const raw = reply.raw ?? Buffer.alloc(0);
    const outcome = ['unknown', 'executed', 'not_executed', 'pending'].indexOf(reply.outcome);
    // The queue stays.
    const leaked = apb.liveHandles() - own - 1;
    process.stdout.write(Buffer.concat([Buffer.from(`${reply.status} ${outcome} ${reply.httpStatus} ${reply.vendorStatus} ` +
      `${reply.bytes.length} ${reply.raw ? raw.length : -1} ${Math.max(leaked, 0)}\n`), reply.bytes, raw]));
  }
}

process.on('SIGINT', () => process.exit(130));
main();
