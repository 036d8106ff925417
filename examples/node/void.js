'use strict';
// Voids an order: quotation, submit, and after a lost answer the question whether it happened.
//   node void.js BASE_URL ORDER_NO
const { setTimeout: pause } = require('node:timers/promises');
const { Client, AtlasError, OutcomeUnknown } = require('./atlas_postbooking.js');

async function main(baseUrl, orderNo) {
  const client = new Client({ baseUrl, clientId: 'demo', clientSecret: 'demo' });
  const { data: quote } = await client.call('voidQuotation', { orderNo });
  console.log(`comes back: ${quote.voidFareAmount.estimatedRefundAmount} ${quote.voidFareAmount.currency}`);
  const { voidOfferId } = quote;
  try {
    const { data } = await client.call('void', { orderNo, voidOfferId });
    console.log(`voided: ${data.voidCode}`);
    return 0;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    console.log('unknown: asking whether it happened');
  }
  for (let i = 0; i < 5; i++) {
    const { data } = await client.reply('queryVoidOrders', { orderNo });
    const found = data?.voidOrders?.find((one) => one.voidOfferId === voidOfferId);
    if (found) {
      console.log(`it happened: ${found.voidCode}`);
      return 0;
    }
    await pause(200);
  }
  console.log('still unknown: nothing is sent again');
  return 3;
}

main(...process.argv.slice(2)).then((code) => (process.exitCode = code), (error) => {
  console.log(`not voided: ${error.message}`);
  process.exitCode = error instanceof AtlasError ? 1 : 2;
});
