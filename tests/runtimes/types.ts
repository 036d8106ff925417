// Compiled, not run: what the types of examples/node promise. A line below @ts-expect-error must not compile.
import { APB_E_GUARD, Client, OutcomeUnknown } from '../../examples/node/atlas_postbooking';

export async function cancel(client: Client, orderNo: string): Promise<string | null> {
  const quote = await client.call('voidQuotation', { orderNo });
  const amount: string | null | undefined = quote.data.voidFareAmount?.estimatedRefundAmount;
  // @ts-expect-error An amount is no number.
  const wrong: number = quote.data.voidFareAmount.estimatedRefundAmount;
  // @ts-expect-error There is no such operation.
  await client.call('voidQuote', { orderNo });
  // @ts-expect-error There is no such field.
  await client.call('voidQuotation', { orderNumber: orderNo });
  // @ts-expect-error A required field is missing.
  await client.call('voidQuotation', {});
  try {
    const done = await client.call('void', { orderNo, voidOfferId: quote.data.voidOfferId! }, { signal: AbortSignal.timeout(1000) });
    return done.data.voidCode;
  } catch (error) {
    if (error instanceof OutcomeUnknown) return error.next;
    throw [error, APB_E_GUARD, amount, wrong];
  }
}
